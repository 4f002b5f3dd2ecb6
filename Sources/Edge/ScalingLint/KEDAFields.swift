import Config

extension Field {
    /// Reads the spec of a `ScaledObject`, keda.sh/v1alpha1; `metadata` holds its annotations.
    /// Defaults are those of KEDA's `ScaledObjectSpec` and its HPA.
    func scaledObject(_ object: ObjectName, metadata: Field?) -> PodScaler? {
        guard var fields = Fields(self) else { return nil }
        let targetField = fields.required("scaleTargetRef", "the workload's name")
        let target = targetField?.scaleTarget(in: object.namespace, kindDefault: "Deployment")
        let at = self.keyPosition
        let least = fields.setting("minReplicaCount", or: 0, at: at) {
            $0.integer(in: KubernetesRanges.replicas)
        }
        let most = fields.setting("maxReplicaCount", or: 100, at: at) {
            $0.integer(in: 1...KubernetesRanges.replicas.upperBound)
        }
        let idle = fields.present("idleReplicaCount").flatMap { field in
            field.integer(in: KubernetesRanges.replicas).map {
                Setting(value: $0, position: field.position)
            }
        }
        let seconds = 0...86_400 * 366
        var settings = KEDASettings(
            floor: idle ?? least,
            polling: fields.setting("pollingInterval", or: 30, at: at) { $0.integer(in: seconds) },
            cooldown: fields.setting("cooldownPeriod", or: 300, at: at) { $0.integer(in: seconds) },
            initialCooldown: fields.setting("initialCooldownPeriod", or: 0, at: at) {
                $0.integer(in: seconds)
            }, cachedMetrics: nil, pause: metadata?.pause())
        var advanced = KEDAAdvanced(behavior: ScalingBehavior(at: at))
        fields.present("advanced")?.read(into: &advanced)
        let triggersField = fields.required("triggers", "a list of triggers")
        let triggers = triggersField?.items(max: 100)?.compactMap { $0.trigger() } ?? []
        fields.passOver("fallback")
        fields.closeToMisspellings()
        guard let targetField, let target else { return nil }
        self.checkOrder(least, most.value, "minReplicaCount", "maxReplicaCount")
        settings.cachedMetrics = triggers.compactMap { $0.cached }.first
        var metrics = triggers.map { $0.metric }
        if let formula = advanced.formula {
            // The formula is the one metric of all triggers that are not CPU or memory.
            metrics = metrics.map { metric in
                var metric = metric
                if metric.source == .total { metric.targetType.value = .averageValue }
                return metric
            }
            metrics.append(formula)
        }
        return PodScaler(
            object: object, target: target, targetPosition: targetField.keyPosition,
            replicasMin: Setting(
                value: max(1, least.value), position: least.position, isWritten: least.isWritten),
            replicasMax: most, metrics: metrics,
            metricsPosition: triggersField?.keyPosition ?? at, up: advanced.behavior.up,
            down: advanced.behavior.down, keda: settings)
    }

    /// An annotation that keeps KEDA from adding replicas. What is no boolean pauses, as there.
    private func pause() -> (key: String, position: Position)? {
        let keys = ["paused", "paused-replicas", "paused-scale-out"]
        let annotations = self.peek("annotations")
        for key in keys {
            guard let field = annotations?.peek("autoscaling.keda.sh/\(key)"),
                let text = field.peekedText, key == "paused-replicas" || text != "false"
            else { continue }
            return ("autoscaling.keda.sh/\(key)", field.keyPosition)
        }
        return nil
    }

    private func read(into advanced: inout KEDAAdvanced) {
        guard var fields = Fields(self) else { return }
        fields.passOver("restoreToOriginalReplicaCount")
        if let config = fields.present("horizontalPodAutoscalerConfig"),
            var inner = Fields(config)
        {
            inner.passOver("name")
            let behavior = inner.present("behavior")?.behavior()
            advanced.behavior = behavior ?? ScalingBehavior(at: config.keyPosition)
            inner.closeToMisspellings()
        }
        if let modifiers = fields.present("scalingModifiers"), var inner = Fields(modifiers) {
            inner.passOver("target", "activationTarget")
            let formula = inner.present("formula")
            let type = inner.setting("metricType", or: .averageValue, at: modifiers.keyPosition) {
                $0.choice(of: ScaledMetric.TargetType.self)
            }
            inner.closeToMisspellings()
            advanced.formula = formula.flatMap { field in
                field.text.map {
                    ScaledMetric(
                        source: .total, text: $0, position: field.position, targetType: type)
                }
            }
        }
        fields.closeToMisspellings()
    }

    private func trigger() -> (metric: ScaledMetric, cached: Position?)? {
        guard var fields = Fields(self) else { return nil }
        let kind = fields.required("type", "the trigger's type")?.string()
        let metadata = fields.present("metadata")
        let cached = fields.present("useCachedMetrics")
        let isCached = cached?.flag() ?? false
        let isResource = kind == "cpu" || kind == "memory"
        let type = fields.setting(
            "metricType", or: isResource ? .utilization : .averageValue, at: self.position
        ) { $0.choice(of: ScaledMetric.TargetType.self) }
        fields.passOver("name", "authenticationRef")
        fields.closeToMisspellings()
        guard let kind else { return nil }
        let written = metadata?.peek("query") ?? metadata?.peek("metricName")
        let metric = ScaledMetric(
            source: isResource ? .resource : .total, text: written?.peekedText ?? kind,
            position: written?.position ?? self.position, targetType: type)
        return (metric, isCached ? cached?.position : nil)
    }
}

/// `advanced` of a ScaledObject.
private struct KEDAAdvanced {
    var behavior: ScalingBehavior
    var formula: ScaledMetric?
}
