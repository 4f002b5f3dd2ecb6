/// Finds the valid spelling nearest to a wrong one.
package enum NearestSpelling {
    /// What the field calls a thing, and how a budget spells it.
    private static let synonyms: [String: String] = [
        "ttft": "timeToFirstToken",
        "itl": "interTokenLatency",
        "tpot": "interTokenLatency",
        "e2e": "endToEnd",
        "slo": "objectives",
        "rpm": "requestsPerMinute",
        "tpm": "tokensPerMinute",
        "min_replicas": "min",
        "max_replicas": "max",
    ]

    /// Longest spelling that is compared.
    private static let lengthMax = 48
    /// Most spellings that are compared.
    private static let candidatesMax = 512

    /// The nearest of `valid`, by synonyms, then by edits up to a third of the length; the last of
    /// equals, so that `p98` is `p99`. `nil` when none is near.
    package static func of(_ text: String, among valid: [String]) -> String? {
        let wrong = Self.folded(text)
        guard !wrong.isEmpty, wrong.count <= Self.lengthMax else { return nil }
        if let synonym = Self.synonyms[text.lowercased()], valid.contains(synonym) {
            return synonym
        }
        var best: String?
        var bestDistance = max(1, wrong.count / 3)
        for spelling in valid.prefix(Self.candidatesMax) {
            let distance = Self.distance(wrong, Self.folded(spelling), below: bestDistance + 1)
            if distance <= bestDistance {
                best = spelling
                bestDistance = distance
            }
        }
        return best
    }

    /// Case, `-` and `_` are not what a spelling is about.
    private static func folded(_ text: String) -> [UInt8] {
        text.utf8.prefix(Self.lengthMax + 1).compactMap { byte in
            switch byte {
            case UInt8(ascii: "-"), UInt8(ascii: "_"): nil
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            default: byte
            }
        }
    }

    /// Edits between two spellings: insertions, deletions, substitutions, and swaps of neighbours
    /// (optimal string alignment). Gives `limit` when there are at least that many.
    private static func distance(_ left: [UInt8], _ right: [UInt8], below limit: Int) -> Int {
        guard abs(left.count - right.count) < limit else { return limit }
        var beforePrevious = [Int](repeating: 0, count: right.count + 1)
        var previous = Array(0...right.count)
        for row in 1...max(left.count, 1) where row <= left.count {
            var current = [Int](repeating: row, count: right.count + 1)
            for column in stride(from: 1, through: right.count, by: 1) {
                let same = left[row - 1] == right[column - 1]
                var best = min(
                    previous[column] + 1, current[column - 1] + 1,
                    previous[column - 1] + (same ? 0 : 1))
                if row > 1, column > 1, left[row - 1] == right[column - 2],
                    left[row - 2] == right[column - 1]
                {
                    best = min(best, beforePrevious[column - 2] + 1)
                }
                current[column] = best
            }
            guard current.contains(where: { $0 < limit }) else { return limit }
            beforePrevious = previous
            previous = current
        }
        return min(previous[right.count], limit)
    }
}
