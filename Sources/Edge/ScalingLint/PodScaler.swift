import Config

/// A HorizontalPodAutoscaler, or a ScaledObject and the one that KEDA makes of it.
struct PodScaler {
    var object: ObjectName
    var target: Target
    var targetPosition: Position
    /// What the HPA itself never goes below: at least 1 under KEDA.
    var replicasMin: Setting<Int>
    var replicasMax: Setting<Int>
    /// Empty: the HPA's own default, which is CPU.
    var metrics: [ScaledMetric]
    var metricsPosition: Position
    var up: ScalingRules
    var down: ScalingRules
    /// `nil` for a plain HPA.
    var keda: KEDASettings?

    /// The fewest replicas anything may leave: 0 where KEDA, or an alpha HPA, may take the last.
    var floor: Setting<Int> { self.keda?.floor ?? self.replicasMin }

    /// Path of the HPA's `behavior` in the object, for fixes.
    var behaviorPath: String {
        self.keda == nil ? "behavior" : "advanced.horizontalPodAutoscalerConfig.behavior"
    }
}

/// One metric of a scaler.
struct ScaledMetric {
    enum Source {
        /// CPU or memory of the pod or of one container.
        case resource
        /// An average over the pods.
        case pods
        /// A figure of an object, or from outside the cluster, KEDA's triggers included.
        case total
    }

    enum TargetType: String, CaseIterable {
        case utilization = "Utilization"
        case value = "Value"
        case averageValue = "AverageValue"
    }

    var source: Source
    /// The metric's name or its query, as written.
    var text: String
    var position: Position
    var targetType: Setting<TargetType>
}

/// `behavior.scaleUp` or `behavior.scaleDown` of an HPA.
struct ScalingRules {
    enum Selection: String, CaseIterable {
        case max = "Max"
        case min = "Min"
        case disabled = "Disabled"
    }

    struct Policy {
        enum Kind: String, CaseIterable {
            case pods = "Pods"
            case percent = "Percent"
        }

        var kind: Kind
        var value: Int
        var periodSeconds: Int
    }

    var window: Setting<Int>
    var tolerance: Setting<Double>
    var selection: Setting<Selection>
    var policies: [Policy]
    var policiesPosition: Position

    /// The controller's defaults up: all at once or 4 pods in 15 s, whichever is more, no window.
    /// Source: `HPAScalingRules` of the Kubernetes API, autoscaling/v2.
    static func up(at position: Position) -> ScalingRules {
        ScalingRules(
            window: .unwritten(0, at: position), tolerance: .unwritten(0.1, at: position),
            selection: .unwritten(.max, at: position),
            policies: [
                Policy(kind: .percent, value: 100, periodSeconds: 15),
                Policy(kind: .pods, value: 4, periodSeconds: 15),
            ], policiesPosition: position)
    }

    /// The controller's defaults down: everything in 15 s, after 300 s. Source: as for `up`.
    static func down(at position: Position) -> ScalingRules {
        ScalingRules(
            window: .unwritten(300, at: position), tolerance: .unwritten(0.1, at: position),
            selection: .unwritten(.max, at: position),
            policies: [Policy(kind: .percent, value: 100, periodSeconds: 15)],
            policiesPosition: position)
    }
}

/// What a ScaledObject adds to its HPA. Times in seconds.
struct KEDASettings {
    var floor: Setting<Int>
    /// How often triggers are looked at between 0 and 1, and for cached metrics.
    var polling: Setting<Int>
    var cooldown: Setting<Int>
    /// Before a new object may go to 0.
    var initialCooldown: Setting<Int>
    /// The first trigger with `useCachedMetrics`.
    var cachedMetrics: Position?
    /// Annotations that stop it from adding replicas.
    var pause: (key: String, position: Position)?
}
