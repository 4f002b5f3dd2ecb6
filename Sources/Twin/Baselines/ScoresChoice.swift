import RequestPath
import Time

/// llm-d-router's scheduler with its chart's weights: the endpoint with the highest sum of
///
/// - 2 × queue: 1 for the fewest waiting among the candidates, 0 for the most, between in
///   proportion; 1 for all when all have as many;
/// - 2 × KV cache: its free share;
/// - 3 × prefix: the share of the prompt's blocks that the endpoint is believed to have.
///
/// Endpoints with the same sum take turns. Gauges count however old; an endpoint never scraped
/// scores on its prefix alone.
///
/// Where an arrival tells no blocks, its prompt is one: only a prompt that is the same to its end
/// matches. A hash of zero is none.
/// Source: llm-d-router, `scorer/queuedepth`, `scorer/kvcacheutilization`, `scorer/prefix`,
/// `picker/maxscore`.
struct ScoresChoice: Choice {
    private let knobs: BaselineKnobs.Scores
    private var prefixes: PrefixIndex
    private var scores: [Double] = []
    /// Picks among equals so far.
    private var turn = 0

    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs) {
        self.knobs = knobs.scores
        self.prefixes = PrefixIndex(blocksMax: knobs.scores.prefixBlocksMax)
    }

    mutating func pick(for request: LiveRequest, in fleet: Fleet, now: Instant) -> Int {
        let model = Int(request.model)
        var fewest = UInt32.max
        var most: UInt32 = 0
        for index in fleet.ready[model] {
            guard let waiting = fleet[Int(index)].gauges?.waiting else { continue }
            fewest = min(fewest, waiting)
            most = max(most, waiting)
        }
        self.scores.removeAll(keepingCapacity: true)
        var best = -Double.infinity
        var equals = 0
        for index in fleet.ready[model] {
            let score = self.score(
                fleet[Int(index)], at: Int(index), request, fewest: fewest, most: most)
            self.scores.append(score)
            equals = score > best ? 1 : score == best ? equals + 1 : equals
            best = max(best, score)
        }
        let picked = Int(fleet.ready[model][self.position(of: best, among: equals)])
        self.prefixes.insert(request.prefixHashes, at: picked)
        return picked
    }

    mutating func forget(_ endpoint: Int) {
        self.prefixes.removeAll(at: endpoint)
    }

    private func score(
        _ endpoint: FleetEndpoint, at index: Int, _ request: LiveRequest, fewest: UInt32,
        most: UInt32
    ) -> Double {
        var score = 0.0
        if let gauges = endpoint.gauges {
            let queue =
                most == fewest ? 1 : Double(most - gauges.waiting) / Double(most - fewest)
            score += self.knobs.queueWeight * queue
            score += self.knobs.kvCacheWeight * (1 - gauges.kvCacheShare)
        }
        let blocks = request.prefixHashes.count
        if blocks > 0 {
            let matched = self.prefixes.matched(request.prefixHashes, at: index)
            score += self.knobs.prefixWeight * Double(matched) / Double(blocks)
        }
        return score
    }

    /// The place of one of the equals that have the best score, each in turn.
    private mutating func position(of best: Double, among equals: Int) -> Int {
        var left = 0
        if equals > 1 {
            left = self.turn % equals
            self.turn += 1
        }
        for position in self.scores.indices where self.scores[position] == best {
            if left == 0 { return position }
            left -= 1
        }
        return 0
    }
}
