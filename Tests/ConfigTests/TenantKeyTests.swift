import Budget
import Config
import Testing

@Suite struct TenantKeyTests {
    private func presented<Result>(
        _ token: String, _ body: (PresentedKey?) throws -> Result
    ) rethrows -> Result {
        try Array(token.utf8).withUnsafeBytes { try body(PresentedKey(parsing: $0)) }
    }

    @Test func `a new key verifies, and no other secret does`() throws {
        let key = try TenantKey.generate()
        let other = try TenantKey.generate()
        let hasher = try TenantKeyHasher()
        self.presented(key.token) { presented in
            #expect(presented.map { hasher.verify(presented: $0, against: key.record) } == true)
            #expect(presented.map { hasher.verify(presented: $0, against: other.record) } == false)
        }
        var forged = key.record
        forged.hash[31] ^= 1
        self.presented(key.token) { presented in
            #expect(presented.map { hasher.verify(presented: $0, against: forged) } == false)
        }
        forged.hash = []
        self.presented(key.token) { presented in
            #expect(presented.map { hasher.verify(presented: $0, against: forged) } == false)
        }
    }

    @Test func `a new key has the written form and is never the same`() throws {
        let keys = try (0..<64).map { _ in try TenantKey.generate() }
        #expect(Set(keys.map(\.token)).count == 64)
        for key in keys {
            #expect(key.token.hasPrefix("plm_\(key.record.id)_"))
            #expect(key.token.utf8.count == 4 + 8 + 1 + 43)
            #expect(key.record.salt.count == 16 && key.record.hash.count == 32)
        }
    }

    @Test func `the hash is SHA-256 of the salt and the characters of the secret`() throws {
        // Computed with: (printf '\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17'; printf 'AAAA...') |
        // sha256sum, the secret being 43 times A.
        let record = TenantKeyRecord(
            id: "k1", salt: Array(0..<16), hash: knownHash)
        let hasher = try TenantKeyHasher()
        self.presented("plm_k1_" + String(repeating: "A", count: 43)) { presented in
            #expect(presented.map { hasher.verify(presented: $0, against: record) } == true)
        }
    }

    @Test func `the printed record is accepted in a budget`() throws {
        let key = try TenantKey.generate()
        let configuration = try accepted(
            """
            apiVersion: plimsoll.dev/v1alpha1
            kind: Tenant
            metadata: {name: t}
            spec:
              keys: [\(key.yaml)]
            """)
        #expect(configuration.tenants.first?.keys == [key.record])
    }

    @Test(
        "a token of another form is not looked up",
        arguments: [
            "", "plm_", "plm_k1_", "plm__" + String(repeating: "A", count: 43),
            "plm_k1_" + String(repeating: "A", count: 42),
            "plm_k1_" + String(repeating: "A", count: 44),
            "plm_K1_" + String(repeating: "A", count: 43),
            "plm_k1_" + String(repeating: "A", count: 42) + "=",
            "plx_k1_" + String(repeating: "A", count: 43),
            "plm_k1-" + String(repeating: "A", count: 43),
            "plm_k2345678901234567_" + String(repeating: "A", count: 43),
            "sk-" + String(repeating: "A", count: 48), String(repeating: "A", count: 1000),
        ])
    func malformed(token: String) {
        self.presented(token) { #expect($0 == nil) }
    }

    @Test func `a ring finds the tenant of a token among many`() throws {
        let keys = try (0..<100).map { _ in try TenantKey.generate() }
        let tenants = stride(from: 0, to: 100, by: 2).map { index in
            TenantSpec(name: "t\(index)", keys: [keys[index].record, keys[index + 1].record])
        }
        let ring = KeyRing(tenants)
        let hasher = try TenantKeyHasher()
        for (index, key) in keys.enumerated() {
            let found = Array(key.token.utf8).withUnsafeBytes {
                ring.tenantIndex(ofToken: $0, hasher)
            }
            #expect(found == index / 2)
        }
        let stranger = try TenantKey.generate()
        let forged = keys[0].token.dropLast(43) + stranger.token.suffix(43)
        for token in [stranger.token, String(forged), "Bearer"] {
            let found = Array(token.utf8).withUnsafeBytes { ring.tenantIndex(ofToken: $0, hasher) }
            #expect(found == nil)
        }
        #expect(!ring.isEmpty && KeyRing([]).isEmpty)
    }
}

private let knownHash: [UInt8] = [
    0x7E, 0x1C, 0x61, 0x58, 0x66, 0x38, 0x61, 0x76, 0x7A, 0x85, 0x46, 0x94,
    0x82, 0xF5, 0x80, 0xB2, 0x9E, 0xBC, 0x3A, 0x08, 0xC4, 0xE8, 0x7A, 0x40,
    0x81, 0x66, 0x80, 0x56, 0xAF, 0x5B, 0x7A, 0x18,
]
