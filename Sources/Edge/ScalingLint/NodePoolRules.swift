/// What Karpenter does to nodes that took minutes to come.
enum NodePoolRules {
    /// Consolidation moves pods to save a node, and a moved model starts anew: a replica less for a
    /// lead time. A node whose pods are starting still looks empty to it
    /// (aws/karpenter-provider-aws#7356).
    static func eviction(_ pool: NodePool, _ at: Circumstances) -> [Problem] {
        guard self.mayEvict(pool, at), let after = pool.after.value, after < at.lead.slow else {
            return []
        }
        let policy = pool.policy.isWritten ? "" : " (the default)"
        let seconds = pool.after.isWritten ? "\(after) s" : "\(after) s (the default)"
        return [
            Problem(
                position: pool.policy.isWritten ? pool.policy.position : pool.after.position,
                reason: "\(pool.policy.value.rawValue)\(policy) after \(seconds) moves replicas "
                    + "that serve or start, and each needs up to \(at.lead.slow) s elsewhere",
                fix: "consolidationPolicy: WhenEmpty with consolidateAfter: "
                    + "\(max(after, at.lead.node.typical))s, or budgets: "
                    + "[{nodes: \"0\", reasons: [Underutilized]}]")
        ]
    }

    /// An empty node that goes sooner than another comes is bought again.
    static func emptyNodes(_ pool: NodePool, _ at: Circumstances) -> [Problem] {
        guard !pool.isStatic, !pool.forbids("Empty"), let after = pool.after.value,
            after < at.lead.node.typical, self.eviction(pool, at).isEmpty
        else { return [] }
        let seconds = pool.after.isWritten ? "\(after) s" : "\(after) s (the default)"
        return [
            Problem(
                position: pool.after.position,
                reason: "an empty node goes after \(seconds), and the next one takes "
                    + "\(at.lead.node.typical) s to come",
                fix: "consolidateAfter: \(at.lead.node.typical)s")
        ]
    }

    /// Whether the pool's nodes may be emptied of replicas that run.
    private static func mayEvict(_ pool: NodePool, _ at: Circumstances) -> Bool {
        // Where every model of the files keeps its pods, there is none to move.
        !pool.isStatic && pool.policy.value == .underutilized && !pool.keepsNodes
            && !pool.forbids("Underutilized") && !at.manifests.keepsAllPods
    }
}
