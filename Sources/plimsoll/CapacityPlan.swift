import Report
import World

/// What a budget takes, on each pool: `plimsoll.plan/v1`.
struct CapacityPlan: Encodable {
    let schema = "plimsoll.plan/v1"
    var model: String
    var trace: String
    var pools: [PoolPlan]

    /// The pool and profile on which the product holds the budget at the least cost, or with the
    /// least GPU time where prices are missing or in several currencies; nil where it does on none.
    var cheapest: String? {
        let holding = self.pools.filter { $0.product.isHeld }
        let isPriced =
            holding.allSatisfy { $0.product.cost != nil }
            && Set(holding.map(\.currency)).count == 1
        return holding.min {
            isPriced
                ? ($0.product.cost ?? 0) < ($1.product.cost ?? 0)
                : $0.product.gpuHours < $1.product.gpuHours
        }.map { "\($0.pool), \($0.profile)" }
    }

    private enum CodingKeys: String, CodingKey {
        case schema, model, trace, pools, cheapest
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.schema, forKey: .schema)
        try container.encode(self.model, forKey: .model)
        try container.encode(self.trace, forKey: .trace)
        try container.encode(self.pools, forKey: .pools)
        try container.encode(self.cheapest, forKey: .cheapest)
    }
}

/// One pool: each scaler's run, what breaks first, and what the cost hangs on.
struct PoolPlan: Encodable {
    /// One scaler over the trace.
    struct Run: Encodable {
        var scaler: String
        /// The setting of its main knob.
        var setting: Double?
        var isHeld: Bool
        var goodShare: Double
        var gpuHours: Double
        var replicasMost: Int
        var nodesMost: Int?
        /// In the pool's currency; nil without a price.
        var cost: Double?
        var costPerGoodRequest: Double?
        var costPerMillionOutputTokens: Double?
        var turnsPerHour: Double

        /// The scaler with its setting.
        var title: String {
            guard let setting = self.setting else { return self.scaler }
            return self.scaler + " " + Wording.fixed(setting, setting == setting.rounded() ? 0 : 2)
        }
    }

    /// The first load at which the budget breaks.
    struct Limit: Encodable {
        /// Times the load of the trace.
        var factor: Double
        var what: String
    }

    /// What the product takes where something is otherwise.
    struct Sensitivity: Encodable {
        var what: String
        var isHeld: Bool
        var goodShare: Double
        var gpuHours: Double
        var cost: Double?
    }

    var pool: String
    var profile: String
    var currency: String?
    var pricePerGPUHour: Double?
    /// Requests a second that one replica serves inside the budget.
    var requestsPerReplica: Double?
    var runs: [Run]
    var breaks: Limit?
    /// Times the load up to which it was tried.
    var triedTo: Double
    var sensitivity: [Sensitivity]
    /// The product's replicas over time.
    var timeline: [ReplicaTimeline.Point]

    /// The product's own run, the first.
    var product: Run { self.runs[0] }
}

extension CapacityPlan {
    /// The plan as text.
    var lines: [String] {
        var lines = ["plan for \(self.model), \(self.trace)"]
        for pool in self.pools { lines += [""] + pool.lines }
        lines.append("")
        if self.pools.count > 1 || self.cheapest == nil {
            lines.append(
                self.cheapest.map { "cheapest for the budget: \($0)" }
                    ?? "on no pool is the budget held")
        }
        lines.append(
            "simulated; how far that is off live engines is in docs/evidence/live-error.md")
        return lines
    }
}

extension PoolPlan {
    fileprivate var lines: [String] {
        var head = "\(self.pool), \(self.profile)"
        if let price = self.pricePerGPUHour {
            head += ", \(Wording.fixed(price, 2)) \(self.currency ?? "") a GPU hour"
        }
        var lines = [head]
        if let rate = self.requestsPerReplica {
            lines.append(
                "  a replica serves \(Wording.fixed(rate, 2)) requests a second of these inside "
                    + "the budget")
        }
        lines += self.table
        let most = self.timeline.map(\.replicas).max() ?? 0
        if most > 0 {
            lines.append("  replicas over time, 0 to \(most): \(self.sparkline(most))")
        }
        lines.append(
            self.breaks.map {
                "  breaks first at \(Wording.fixed($0.factor, 2)) times this load: \($0.what)"
            } ?? "  holds up to \(Wording.fixed(self.triedTo, 0)) times this load")
        lines += self.sensitivity.map { other in
            let cost = other.cost.map { ", cost \(Wording.fixed($0, 2))" } ?? ""
            return "  \(other.what): \(other.isHeld ? "held" : "broken"), "
                + "\(Wording.fixed(other.goodShare * 100, 2)) % good, "
                + "\(Wording.fixed(other.gpuHours, 1)) GPU hours\(cost)"
        }
        return lines
    }

    private var table: [String] {
        var table = TextTable(rightAligned: Set(2...9))
        table.add([
            "scaler", "budget", "good %", "GPU h", "nodes", "most", "cost", "per 1,000 good",
            "per M tokens", "turns/h",
        ])
        for run in self.runs {
            func money(_ value: Double?, _ decimals: Int) -> String {
                value.map { Wording.fixed($0, decimals) } ?? "-"
            }
            table.add([
                run.title,
                run.isHeld ? "held" : "broken", Wording.fixed(run.goodShare * 100, 2),
                Wording.fixed(run.gpuHours, 1), run.nodesMost.map(String.init) ?? "-",
                "\(run.replicasMost)", money(run.cost, 2),
                money(run.costPerGoodRequest.map { $0 * 1_000 }, 3),
                money(run.costPerMillionOutputTokens, 3), Wording.fixed(run.turnsPerHour, 1),
            ])
        }
        return table.lines(indent: 2)
    }

    /// Sixty columns, each the most of its stretch.
    private func sparkline(_ most: Int) -> String {
        let bars = Array("▁▂▃▄▅▆▇█")
        let columns = min(60, self.timeline.count)
        return String(
            (0..<columns).map { column in
                let from = column * self.timeline.count / columns
                let to = max(from + 1, (column + 1) * self.timeline.count / columns)
                let value = self.timeline[from..<to].map(\.replicas).max() ?? 0
                return bars[min(bars.count - 1, value * bars.count / (most + 1))]
            })
    }
}
