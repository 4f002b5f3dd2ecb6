/// Runs of a comparison, several at one time.
///
/// Each run is a world of its own and results stand in the order asked for, so that what comes of
/// it does not depend on how many cores there are.
package enum RunBatch {
    /// `work(0)`, `work(1)` and so on up to `count`, at most `atOnce` of them at one time; throws
    /// what one of them throws.
    package static func results<Value: Sendable>(
        of count: Int, atOnce: Int,
        _ work: @escaping @Sendable (Int) throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: (index: Int, value: Value).self) { group in
            var values = [Value?](repeating: nil, count: count)
            var begun = 0
            while begun < min(count, max(1, atOnce)) {
                let index = begun
                group.addTask { (index, try work(index)) }
                begun += 1
            }
            while let (index, value) = try await group.next() {
                values[index] = value
                guard begun < count else { continue }
                let next = begun
                group.addTask { (next, try work(next)) }
                begun += 1
            }
            return values.compactMap { $0 }
        }
    }
}
