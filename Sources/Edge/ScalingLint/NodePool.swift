import Config

/// A Karpenter NodePool, karpenter.sh/v1.
struct NodePool {
    enum Policy: String, CaseIterable {
        case empty = "WhenEmpty"
        case underutilized = "WhenEmptyOrUnderutilized"
        case costJustifies = "WhenCostJustifiesDisruption"
    }

    /// How many nodes may be disrupted at once, and why.
    struct Budget {
        /// `0` or `0%`.
        var isNone: Bool
        /// `nil`: for every reason.
        var reasons: [String]?
        var hasSchedule: Bool
    }

    var object: ObjectName
    /// Labels, taints, limits and required labels of its nodes, those that must be absent left out.
    var nodeKeys: [String]
    /// `key=value` of its nodes, as far as it says.
    var nodeLabels: [String]
    /// Values asked of the label of an instance type or family.
    var instanceTypes: [String]
    var policy: Setting<Policy>
    /// Seconds; `nil` is never.
    var after: Setting<Int?>
    var budgets: [Budget]
    /// A fixed number of nodes: nothing is consolidated.
    var isStatic: Bool
    /// Whether its nodes carry `do-not-disrupt`.
    var keepsNodes: Bool

    /// Whether its nodes are for accelerators: by a label, a taint or a limit, or since every
    /// instance type that is asked for has some.
    var hasGPUs: Bool {
        self.nodeKeys.contains(where: isAccelerator)
            || !self.instanceTypes.isEmpty && self.instanceTypes.allSatisfy(Self.isAccelerated)
    }

    /// Whether a budget keeps every node from being disrupted for this reason at all times.
    func forbids(_ reason: String) -> Bool {
        self.budgets.contains { budget in
            budget.isNone && !budget.hasSchedule && (budget.reasons?.contains(reason) ?? true)
        }
    }

    /// Whether an instance type, family or category of AWS, Google Cloud or Azure has accelerators.
    private static func isAccelerated(_ type: String) -> Bool {
        let type = type.lowercased()
        let beginnings = ["inf", "trn", "a2-", "a3-", "a4-", "standard_n"]
        if beginnings.contains(where: { type.hasPrefix($0) }) { return true }
        // Of AWS's families, and Google's g2, all that begin with p or g and a digit.
        return ["p", "g"].contains(type.prefix(1))
            && type.dropFirst().first.map { ("1"..."9").contains($0) } ?? true
    }
}

extension Field {
    /// Reads the spec of a NodePool.
    func nodePool(_ object: ObjectName) -> NodePool? {
        guard var fields = Fields(self) else { return nil }
        let template = fields.required("template", "the nodes' template")
        let disruption = fields.present("disruption")
        let limits = fields.present("limits")
        let isStatic = fields.present("replicas") != nil
        fields.passOver("weight")
        fields.closeToMisspellings()
        let metadata = template?.peek("metadata")
        let spec = template?.peek("spec")
        let labels = metadata?.peek("labels")?.peekedEntries ?? []
        let limited = limits?.peekedEntries ?? []
        let at = disruption?.keyPosition ?? self.keyPosition
        var pool = NodePool(
            object: object, nodeKeys: (limited + labels).map(\.key),
            nodeLabels: labels.map { "\($0.key)=\($0.peekedText ?? "")" }, instanceTypes: [],
            policy: .unwritten(.underutilized, at: at),
            after: .unwritten(0, at: at), budgets: [], isStatic: isStatic,
            keepsNodes: metadata?.keepsPods ?? false)
        for taint in spec?.peek("taints")?.peekedItems ?? [] {
            if let key = taint.peek("key")?.peekedText { pool.nodeKeys.append(key) }
        }
        for requirement in spec?.peek("requirements")?.peekedItems ?? [] {
            requirement.require(of: &pool)
        }
        disruption?.disruption(into: &pool)
        return pool
    }

    /// Notes what a node selector requirement says of the nodes.
    private func require(of pool: inout NodePool) {
        guard let key = self.peek("key")?.peekedText,
            let relation = self.peek("operator")?.peekedText
        else { return }
        let values = self.peek("values")?.peekedItems.compactMap(\.peekedText) ?? []
        switch relation {
        case "In":
            pool.nodeKeys.append(key)
            pool.nodeLabels += values.map { "\(key)=\($0)" }
            let names = ["instance-type", "instance-family", "instance-category"]
            if names.contains(where: { key.hasSuffix("/\($0)") }) {
                pool.instanceTypes += values
            }
        case "Exists", "Gt", "Gte":
            pool.nodeKeys.append(key)
        default:
            break
        }
    }

    private func disruption(into pool: inout NodePool) {
        guard var fields = Fields(self) else { return }
        let policy = fields.setting(
            "consolidationPolicy", or: NodePool.Policy.underutilized, at: self.keyPosition
        ) { $0.choice(of: NodePool.Policy.self) }
        // The newer name of the same decision; the narrower of the two holds.
        let when = fields.setting(
            "consolidateWhen", or: NodePool.Policy.underutilized, at: self.keyPosition
        ) { $0.choice(of: NodePool.Policy.self) }
        pool.policy = when.value == .underutilized ? policy : when
        pool.after = fields.setting("consolidateAfter", or: 0, at: self.keyPosition) { field in
            if field.peekedText == "Never" { return Int?.none }
            return field.goSeconds(in: KnativeRanges.any)
        }
        pool.budgets = fields.present("budgets")?.items(max: 50)?.compactMap { $0.budget() } ?? []
        fields.passOver("decisionRatioThreshold")
        fields.closeToMisspellings()
    }

    private func budget() -> NodePool.Budget? {
        guard var fields = Fields(self) else { return nil }
        let nodes = fields.present("nodes")?.text ?? "10%"
        let reasons = fields.present("reasons")?.items(max: 50)?.compactMap {
            $0.choice(of: DisruptionReason.self)?.rawValue
        }
        let schedule = fields.present("schedule")
        fields.passOver("duration")
        fields.closeToMisspellings()
        return NodePool.Budget(
            isNone: nodes == "0" || nodes == "0%", reasons: reasons, hasSchedule: schedule != nil)
    }
}

/// Why Karpenter disrupts a node.
private enum DisruptionReason: String, CaseIterable {
    case underutilized = "Underutilized"
    case empty = "Empty"
    case drifted = "Drifted"
}
