/// How an HPA's policies let the number of replicas change: the arithmetic of Kubernetes'
/// `calculateScaleUpLimitWithScalingRules` and its counterpart down.
struct ReplicaWalk {
    let rules: ScalingRules
    let isUp: Bool

    /// Seconds between two decisions of the HPA controller.
    static let syncSeconds = 15
    /// A walk of a day is as good as none.
    private static let ticksMax = 86_400 / ReplicaWalk.syncSeconds

    /// The replicas one decision may make of `count`, nothing having changed for a while.
    func step(from count: Int) -> Int {
        self.rules.selection.value == .disabled ? count : self.limit([count])
    }

    /// Seconds from the first decision until `end` is reached, 0 when that is enough; `nil` when
    /// the policies never get there.
    func seconds(from start: Int, to end: Int) -> Int? {
        guard self.rules.selection.value != .disabled else { return start == end ? 0 : nil }
        var history = [start]
        for tick in 0..<Self.ticksMax {
            let next = self.limit(history)
            let count = self.isUp ? min(end, next) : max(end, next)
            if count == end { return tick * Self.syncSeconds }
            history.append(count)
        }
        return nil
    }

    /// The furthest replicas may be now; `history` has a count for each decision so far.
    private func limit(_ history: [Int]) -> Int {
        let limits = self.rules.policies.map { policy in
            let ticks = (policy.periodSeconds + Self.syncSeconds - 1) / Self.syncSeconds
            // A period counts what it added: its base is the count before its first change.
            let base = history[max(0, history.count - ticks)]
            return self.change(base, by: policy)
        }
        let now = history[history.count - 1]
        guard let least = limits.min(), let most = limits.max() else { return now }
        // The most change is the highest count on the way up, and the lowest on the way down.
        let limit = (self.rules.selection.value == .max) == self.isUp ? most : least
        return self.isUp ? max(limit, now) : min(limit, now)
    }

    private func change(_ base: Int, by policy: ScalingRules.Policy) -> Int {
        let sign = self.isUp ? 1 : -1
        switch policy.kind {
        case .pods:
            return max(0, base + sign * policy.value)
        case .percent:
            let changed = Double(base) * (1 + Double(sign * policy.value) / 100)
            return max(0, Int(self.isUp ? changed.rounded(.up) : changed.rounded(.down)))
        }
    }
}
