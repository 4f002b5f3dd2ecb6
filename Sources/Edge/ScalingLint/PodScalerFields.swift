import Config

/// The ranges that the Kubernetes API itself sets.
enum KubernetesRanges {
    static let replicas = 0...2_147_483_647
    /// Source: `HPAScalingRules`, autoscaling/v2.
    static let window = 0...3600
    /// Source: `HPAScalingPolicy`, autoscaling/v2.
    static let period = 1...1800
}

extension Field {
    /// Reads the spec of a `HorizontalPodAutoscaler`, autoscaling/v2.
    func podAutoscaler(_ object: ObjectName) -> PodScaler? {
        guard var fields = Fields(self) else { return nil }
        let targetField = fields.required("scaleTargetRef", "the workload's kind and name")
        let target = targetField?.scaleTarget(in: object.namespace, kindDefault: nil)
        let least = fields.setting("minReplicas", or: 1, at: self.keyPosition) {
            $0.integer(in: KubernetesRanges.replicas)
        }
        let mostField = fields.required("maxReplicas", "a whole number")
        let most = mostField?.integer(in: 1...KubernetesRanges.replicas.upperBound)
        let metricsField = fields.present("metrics")
        let metrics = metricsField?.items(max: 100)?.compactMap { $0.metric() } ?? []
        let behavior = fields.present("behavior")
        let rules = behavior?.behavior() ?? ScalingBehavior(at: self.keyPosition)
        fields.closeToMisspellings()
        guard let targetField, let target, let mostField, let most else { return nil }
        self.checkOrder(least, most, "minReplicas", "maxReplicas")
        return PodScaler(
            object: object, target: target, targetPosition: targetField.keyPosition,
            replicasMin: least, replicasMax: Setting(value: most, position: mostField.position),
            metrics: metrics, metricsPosition: metricsField?.keyPosition ?? self.keyPosition,
            up: rules.up, down: rules.down, keda: nil)
    }

    /// Reads a reference to what is scaled.
    func scaleTarget(in namespace: String, kindDefault: String?) -> Target? {
        guard var fields = Fields(self) else { return nil }
        let kindField =
            kindDefault == nil
            ? fields.required("kind", "such as Deployment") : fields.present("kind")
        let name = fields.required("name", "the workload's name")?.string()
        fields.passOver("apiVersion", "envSourceContainerName")
        fields.closeToMisspellings()
        let kind = kindField?.string() ?? kindDefault
        guard let name, let kind else { return nil }
        return Target(kind: kind, namespace: namespace, name: name)
    }

    /// Reports bounds that are in the wrong order.
    func checkOrder(_ least: Setting<Int>, _ most: Int, _ leastKey: String, _ mostKey: String) {
        guard least.value > most else { return }
        self.faults.add(
            least.position,
            "\(self.path).\(leastKey) is \(least.value), above \(mostKey) of \(most)")
    }
}

/// Both directions of an HPA's `behavior`.
struct ScalingBehavior {
    var up: ScalingRules
    var down: ScalingRules

    /// The controller's defaults.
    init(at position: Position) {
        self.up = .up(at: position)
        self.down = .down(at: position)
    }
}

extension Field {
    /// Reads `behavior`.
    func behavior() -> ScalingBehavior? {
        guard var fields = Fields(self) else { return nil }
        var behavior = ScalingBehavior(at: self.keyPosition)
        if let field = fields.present("scaleUp") {
            behavior.up = field.scalingRules(.up(at: field.keyPosition))
        }
        if let field = fields.present("scaleDown") {
            behavior.down = field.scalingRules(.down(at: field.keyPosition))
        }
        fields.closeToMisspellings()
        return behavior
    }

    private func scalingRules(_ defaults: ScalingRules) -> ScalingRules {
        var rules = defaults
        guard var fields = Fields(self) else { return rules }
        rules.window = fields.setting(
            "stabilizationWindowSeconds", or: rules.window.value, at: self.keyPosition
        ) { $0.integer(in: KubernetesRanges.window) }
        rules.tolerance = fields.setting(
            "tolerance", or: rules.tolerance.value, at: self.keyPosition
        ) { $0.quantity(in: 0...1000) }
        rules.selection = fields.setting(
            "selectPolicy", or: rules.selection.value, at: self.keyPosition
        ) { $0.choice(of: ScalingRules.Selection.self) }
        if let field = fields.present("policies") {
            let policies = field.items(max: 100)?.compactMap { $0.policy() } ?? []
            rules.policies = policies.isEmpty ? rules.policies : policies
            rules.policiesPosition = field.keyPosition
        }
        fields.closeToMisspellings()
        return rules
    }

    private func policy() -> ScalingRules.Policy? {
        guard var fields = Fields(self) else { return nil }
        let kind = fields.required("type", "Pods or Percent")?.choice(
            of: ScalingRules.Policy.Kind.self)
        let value = fields.required("value", "a whole number")?.integer(
            in: 1...KubernetesRanges.replicas.upperBound)
        let period = fields.required("periodSeconds", "a whole number")?.integer(
            in: KubernetesRanges.period)
        fields.closeToMisspellings()
        guard let kind, let value, let period else { return nil }
        return ScalingRules.Policy(kind: kind, value: value, periodSeconds: period)
    }

    private enum MetricKind: String, CaseIterable {
        case resource = "Resource"
        case containerResource = "ContainerResource"
        case pods = "Pods"
        case object = "Object"
        case external = "External"

        var key: String { self.rawValue.prefix(1).lowercased() + self.rawValue.dropFirst() }
    }

    private func metric() -> ScaledMetric? {
        guard var fields = Fields(self) else { return nil }
        let kind = fields.required("type", "the metric's source")?.choice(of: MetricKind.self)
        for other in MetricKind.allCases { _ = fields.optional(other.key) }
        guard let kind else {
            fields.closeToMisspellings()
            return nil
        }
        let source = fields.required(kind.key, "its metric and target")
        fields.closeToMisspellings()
        guard let source, var inner = Fields(source) else { return nil }
        let target = inner.required("target", "{type: AverageValue, averageValue: ...}")
        let type = target?.metricTargetType()
        let text: String?
        switch kind {
        case .resource, .containerResource:
            text = inner.required("name", "cpu or memory")?.string()
        case .pods, .object, .external:
            text = inner.required("metric", "{name: ...}")?.metricName()
        }
        guard let text, let type else { return nil }
        let from: ScaledMetric.Source =
            switch kind {
            case .resource, .containerResource: .resource
            case .pods: .pods
            case .object, .external: .total
            }
        return ScaledMetric(source: from, text: text, position: self.position, targetType: type)
    }

    private func metricName() -> String? {
        guard var fields = Fields(self) else { return nil }
        return fields.required("name", "the metric's name")?.string()
    }

    private func metricTargetType() -> Setting<ScaledMetric.TargetType>? {
        guard var fields = Fields(self) else { return nil }
        let field = fields.required("type", "AverageValue, Value or Utilization")
        fields.passOver("value", "averageValue", "averageUtilization")
        fields.closeToMisspellings()
        guard let field, let type = field.choice(of: ScaledMetric.TargetType.self) else {
            return nil
        }
        return Setting(value: type, position: field.position)
    }
}
