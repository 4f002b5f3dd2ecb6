import Dispatch
import Synchronization

/// Joins work that runs on several cores with a command, which is plain code on the main thread.
enum Blocking {
    private final class Outcome<Value: Sendable>: Sendable {
        let value = Mutex<Result<Value, any Error>?>(nil)
    }

    /// What the work returns or throws; the calling thread waits for it.
    static func wait<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let outcome = Outcome<Value>()
        let isOver = DispatchSemaphore(value: 0)
        Task.detached {
            do {
                let value = try await work()
                outcome.value.withLock { $0 = .success(value) }
            } catch {
                outcome.value.withLock { $0 = .failure(error) }
            }
            isOver.signal()
        }
        isOver.wait()
        guard let result = outcome.value.withLock({ $0 }) else {
            preconditionFailure("work ended without an outcome")
        }
        return try result.get()
    }
}
