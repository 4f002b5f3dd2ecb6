package import Budget

/// All tenants' keys, found by id. Immutable: a reload makes a new one.
package struct KeyRing: Sendable {
    /// An id of at most 16 bytes, zeros after its end; ids hold no zero byte.
    private struct PackedID: Hashable {
        var low: UInt64 = 0
        var high: UInt64 = 0

        init(_ bytes: some Sequence<UInt8>) {
            for (index, byte) in bytes.enumerated() {
                if index < 8 {
                    self.low |= UInt64(byte) << UInt64(index * 8)
                } else {
                    self.high |= UInt64(byte) << UInt64((index - 8) * 8)
                }
            }
        }
    }

    private struct Entry {
        var tenantIndex: Int
        var record: TenantKeyRecord
    }

    private let entries: [Entry]
    private let indices: [PackedID: Int]

    /// The keys of a configuration's tenants.
    package init(_ tenants: [TenantSpec]) {
        var entries: [Entry] = []
        var indices: [PackedID: Int] = [:]
        for (tenantIndex, tenant) in tenants.enumerated() {
            for record in tenant.keys {
                indices[PackedID(record.id.utf8.prefix(TenantKey.idBytesMax))] = entries.count
                entries.append(Entry(tenantIndex: tenantIndex, record: record))
            }
        }
        self.entries = entries
        self.indices = indices
    }

    /// Whether there is no key at all: then only loopback clients are served.
    package var isEmpty: Bool {
        self.entries.isEmpty
    }

    /// Index of the tenant whose token this is; `nil` when it is nobody's. Finding it
    /// allocates nothing; verifying it what `TenantKeyHasher` says.
    package func tenantIndex(
        ofToken token: UnsafeRawBufferPointer, _ hasher: borrowing TenantKeyHasher
    ) -> Int? {
        guard let presented = PresentedKey(parsing: token),
            let index = self.indices[PackedID(presented.id)],
            hasher.verify(presented: presented, against: self.entries[index].record)
        else { return nil }
        return self.entries[index].tenantIndex
    }
}
