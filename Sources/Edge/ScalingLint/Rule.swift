import Budget
import Config

/// What a rule finds: where, why with the object's own figures, and the setting that ends it.
struct Problem {
    var position: Position
    var reason: String
    var fix: String
}

/// What an object is judged in.
struct Circumstances {
    var lead: LeadTime
    /// The budget's model that is served, where one is known.
    var model: ModelSpec?
    var manifests: Manifests
    /// `file:line` of a second place.
    var place: (Position) -> String
}

/// One rule for one sort of object.
struct Rule<Object> {
    let name: RuleName
    let find: (Object, Circumstances) -> [Problem]

    init(_ name: RuleName, _ find: @escaping (Object, Circumstances) -> [Problem]) {
        self.name = name
        self.find = find
    }
}

/// The rules' names: stable, for those who read findings by machine. docs/lint-scaling.md explains
/// each.
package enum RuleName: String, CaseIterable, Sendable {
    case toleranceSwallowsReplica = "tolerance-swallows-replica"
    case valueTargetMultiplies = "value-target-multiplies"
    case averageDividedAgain = "average-divided-again"
    case cooldownBelowLeadTime = "cooldown-below-lead-time"
    case scaleDownInOneStep = "scale-down-in-one-step"
    case zeroInOneStep = "zero-in-one-step"
    case scaleUpSlowerThanLeadTime = "scale-up-slower-than-lead-time"
    case cpuOnGPUServer = "cpu-on-gpu-server"
    case gpuUtilizationSaturates = "gpu-utilization-saturates"
    case smoothedQuery = "smoothed-query"
    case doubleStabilization = "double-stabilization"
    case pollingTooSlow = "polling-too-slow"
    case autoscalerPaused = "autoscaler-paused"
    case twoAutoscalers = "two-autoscalers"
    case replicasFightAutoscaler = "replicas-fight-autoscaler"
    case deadlineBelowLeadTime = "deadline-below-lead-time"
    case requestTimeoutBelowLeadTime = "request-timeout-below-lead-time"
    case unboundedConcurrency = "unbounded-concurrency"
    case panicOutrunsLeadTime = "panic-outruns-lead-time"
    case consolidationEvictsReplicas = "consolidation-evicts-replicas"
    case consolidationBelowNodeTime = "consolidation-below-node-time"
    case zeroMissesDeadline = "zero-misses-deadline"
    case boundsBelowBudget = "bounds-below-budget"
}

/// The table of rules, by what they look at.
enum Rules {
    static var podScalers: [Rule<PodScaler>] {
        [
            Rule(.toleranceSwallowsReplica, ReplicaRules.tolerance),
            Rule(.cooldownBelowLeadTime, ReplicaRules.cooldown),
            Rule(.scaleDownInOneStep, ReplicaRules.scaleDown),
            Rule(.zeroInOneStep, ReplicaRules.zero),
            Rule(.scaleUpSlowerThanLeadTime, ReplicaRules.scaleUp),
            Rule(.valueTargetMultiplies, MetricRules.valueTarget),
            Rule(.averageDividedAgain, MetricRules.dividedAverage),
            Rule(.cpuOnGPUServer, MetricRules.cpu),
            Rule(.gpuUtilizationSaturates, MetricRules.gpuUtilization),
            Rule(.smoothedQuery, MetricRules.smoothedQuery),
            Rule(.doubleStabilization, MetricRules.doubleStabilization),
            Rule(.pollingTooSlow, MetricRules.polling),
            Rule(.autoscalerPaused, OwnerRules.paused),
            Rule(.twoAutoscalers, OwnerRules.twoAutoscalers),
            Rule(.zeroMissesDeadline, BudgetRules.zeroOfScaler),
            Rule(.boundsBelowBudget, BudgetRules.boundsOfScaler),
        ]
    }

    static var revisions: [Rule<KnativeRevision>] {
        [
            Rule(.cooldownBelowLeadTime, KnativeRules.cooldown),
            Rule(.deadlineBelowLeadTime, KnativeRules.progressDeadline),
            Rule(.requestTimeoutBelowLeadTime, KnativeRules.requestTimeout),
            Rule(.unboundedConcurrency, KnativeRules.concurrency),
            Rule(.panicOutrunsLeadTime, KnativeRules.panic),
            Rule(.cpuOnGPUServer, KnativeRules.cpu),
            Rule(.zeroMissesDeadline, BudgetRules.zeroOfRevision),
            Rule(.boundsBelowBudget, BudgetRules.boundsOfRevision),
        ]
    }

    static var nodePools: [Rule<NodePool>] {
        [
            Rule(.consolidationEvictsReplicas, NodePoolRules.eviction),
            Rule(.consolidationBelowNodeTime, NodePoolRules.emptyNodes),
        ]
    }

    static var workloads: [Rule<Workload>] {
        [
            Rule(.deadlineBelowLeadTime, OwnerRules.progressDeadline),
            Rule(.replicasFightAutoscaler, OwnerRules.replicas),
        ]
    }
}
