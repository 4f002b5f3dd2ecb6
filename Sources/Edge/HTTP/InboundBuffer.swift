import Synchronization
import Wire

/// The bytes of one connection that have been read and not yet been used.
///
/// Storage comes from the loop's pool when the first byte is expected and goes back when none is
/// left, so that an idle connection holds none.
package final class InboundBuffer {
    /// Enough for an ordinary chat request; larger ones grow.
    package static let blockBytes = 4 << 10
    /// Behind the used bytes this much is always readable: the JSON scanner looks ahead.
    private static let slackBytes = 64

    private let pool: BlockPool
    private var storage: UnsafeMutableRawPointer?
    private var capacity = 0
    package private(set) var count = 0

    package init(pool: BlockPool) {
        self.pool = pool
    }

    deinit {
        self.giveBack()
    }

    /// The bytes in use.
    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.storage, count: self.count)
    }

    /// The same bytes, for editing in place.
    var mutableBytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: self.storage, count: self.count)
    }

    /// Calls `body` with the bytes in use.
    package func withSpan<R, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        let bytes = self.bytes.assumingMemoryBound(to: UInt8.self)
        return try body(bytes.span)
    }

    /// Free space behind the used bytes; at least `minimum` bytes.
    package func freeSpace(minimum: Int = 1) -> UnsafeMutableRawBufferPointer {
        self.reserve(self.count + minimum)
        return UnsafeMutableRawBufferPointer(
            start: self.storage.map { $0 + self.count }, count: self.capacity - self.count)
    }

    /// Counts `count` bytes that were written into the free space.
    package func didRead(_ count: Int) {
        self.count += count
    }

    /// Makes room for `total` bytes in all, growing by doubling.
    package func reserve(_ total: Int) {
        guard total > self.capacity || self.storage == nil else { return }
        if self.storage == nil, total <= Self.blockBytes - Self.slackBytes {
            self.storage = self.pool.take()
            self.capacity = Self.blockBytes - Self.slackBytes
            return
        }
        let target = max(total, self.capacity * 2)
        let grown = UnsafeMutableRawPointer.allocate(
            byteCount: target + Self.slackBytes, alignment: 16)
        (grown + target).initializeMemory(as: UInt8.self, repeating: 0, count: Self.slackBytes)
        if let old = self.storage {
            grown.copyMemory(from: old, byteCount: self.count)
            self.release(old)
        }
        self.storage = grown
        self.capacity = target
    }

    /// Drops the first `used` bytes and moves the rest to the front.
    package func consume(_ used: Int) {
        let rest = self.count - used
        if rest == 0 { return self.giveBack() }
        if let storage = self.storage {
            storage.copyMemory(from: storage + used, byteCount: rest)
        }
        self.count = rest
    }

    /// Closes a gap: moves what starts at `from` down to `to`, with everything behind it.
    func close(gapFrom to: Int, upTo from: Int) {
        guard from > to, let storage = self.storage else { return }
        (storage + to).copyMemory(from: storage + from, byteCount: self.count - from)
        self.count -= from - to
    }

    /// Drops everything.
    package func giveBack() {
        if let storage = self.storage { self.release(storage) }
        self.storage = nil
        self.capacity = 0
        self.count = 0
    }

    private func release(_ storage: UnsafeMutableRawPointer) {
        if self.capacity == Self.blockBytes - Self.slackBytes {
            self.pool.give(storage)
        } else {
            storage.deallocate()
        }
    }
}

/// Blocks of one size that a loop's connections share.
package final class BlockPool {
    private static let keptMax = 1024
    private var free: [UnsafeMutableRawPointer] = []

    package init() {}

    deinit {
        for block in self.free { block.deallocate() }
    }

    func take() -> UnsafeMutableRawPointer {
        if let block = self.free.popLast() { return block }
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: InboundBuffer.blockBytes, alignment: 16)
        block.initializeMemory(as: UInt8.self, repeating: 0, count: InboundBuffer.blockBytes)
        return block
    }

    func give(_ block: UnsafeMutableRawPointer) {
        if self.free.count < Self.keptMax { self.free.append(block) } else { block.deallocate() }
    }
}

/// A bound on the body bytes that all connections of all loops hold at once.
package final class BufferedBytes: Sendable {
    private let used = Atomic<Int>(0)
    package let max: Int

    package init(max: Int) {
        self.max = max
    }

    /// Bytes held now.
    package var current: Int { self.used.load(ordering: .relaxed) }

    /// Takes `count` bytes; `false` and nothing taken when that would exceed the bound.
    func take(_ count: Int) -> Bool {
        let after = self.used.wrappingAdd(count, ordering: .relaxed).newValue
        if after <= self.max { return true }
        self.used.wrappingSubtract(count, ordering: .relaxed)
        return false
    }

    func give(_ count: Int) {
        self.used.wrappingSubtract(count, ordering: .relaxed)
    }
}
