import Foundation

/// A value behind a lock that the thread sanitizer sees: it knows nothing of `Mutex`'s slow path.
package final class Locked<Value>: @unchecked Sendable {
    // Safety: the value is touched only inside `withLock`.
    private let lock = NSLock()
    private var value: Value

    package init(_ value: Value) { self.value = value }

    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        self.lock.lock()
        defer { self.lock.unlock() }
        return try body(&self.value)
    }
}
