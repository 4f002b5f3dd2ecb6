package import Testing

/// For a test that measures time on a real clock: one of three tries must hold.
///
/// Another process that takes the cores for half a second makes a client that reads slowly one that
/// has stopped. Only a test whose finding is a time carries this: an answer that is lost is lost.
package struct Timed: TestTrait, SuiteTrait, TestScoping {
    package var isRecursive: Bool { true }
    private static let tries = 3

    package func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        for _ in 1..<Self.tries {
            let missed = Locked(false)
            try await withKnownIssue("the machine may have been busy", isIntermittent: true) {
                try await function()
            } matching: { _ in
                missed.withLock { $0 = true }
                return true
            }
            if !missed.withLock({ $0 }) { return }
        }
        try await function()
    }
}

extension Trait where Self == Timed {
    /// One of three tries must hold, since the test's finding is a time.
    package static var timed: Self { Timed() }
}
