import Config

/// The annotations of a revision that Knative reads.
private struct KnativeAnnotations {
    /// By the part behind the prefix; the older spelling, `minScale`, as `min-scale`.
    private var fields: [String: Field] = [:]
    private(set) var progressDeadline: Field?

    private static let prefix = "autoscaling.knative.dev/"
    private static let known = [
        "class", "metric", "target", "min-scale", "max-scale", "initial-scale", "activation-scale",
        "scale-down-delay", "target-utilization-percentage", "target-burst-capacity", "window",
        "panic-window-percentage", "panic-threshold-percentage",
        "scale-to-zero-pod-retention-period", "metric-aggregation-algorithm", "scale-buffer",
    ]

    init(_ annotations: Field?) {
        guard let annotations, !annotations.isNull else { return }
        for entry in annotations.entries() ?? [] {
            if ["progress-deadline", "progressDeadline"].contains(where: {
                entry.key == "serving.knative.dev/\($0)"
            }) {
                self.progressDeadline = entry
            }
            guard entry.key.hasPrefix(Self.prefix) else { continue }
            let name = Self.kebab(entry.key.dropFirst(Self.prefix.count))
            if Self.known.contains(name) {
                self.fields[name] = entry
            } else if let nearest = NearestSpelling.of(name, among: Self.known) {
                entry.faults.add(
                    entry.keyPosition, "unknown annotation \"\(quoted(entry.key))\"",
                    suggestion: Self.prefix + nearest)
            }
        }
    }

    private static func kebab(_ name: Substring) -> String {
        name.reduce(into: "") { result, character in
            result += character.isUppercase ? "-\(character.lowercased())" : String(character)
        }
    }

    /// An annotation, or the default at the place where it would be written.
    func setting<Value>(
        _ name: String, or fallback: Value, at position: Position, _ read: (Field) -> Value?
    ) -> Setting<Value> {
        guard let field = self.fields[name], let value = read(field) else {
            return .unwritten(fallback, at: position)
        }
        return Setting(value: value, position: field.position)
    }

    /// All settings, what is not annotated from `defaults`.
    func settings(_ defaults: KnativeDefaults, at position: Position) -> KnativeSettings {
        let podClass = self.setting("class", or: defaults.podClass, at: position) { field in
            guard let text = field.string() else { return nil }
            let classes = [KnativeDefaults.kpa, KnativeDefaults.hpa]
            if !classes.contains(text), let nearest = NearestSpelling.of(text, among: classes) {
                field.fault(
                    "\(field.key): \"\(quoted(text))\" is not a class of Knative's own",
                    suggestion: nearest)
            }
            return text
        }
        let isHPA = podClass.value == KnativeDefaults.hpa
        let target: Setting<Double?> = self.setting("target", or: nil, at: position) {
            $0.textNumber(in: 0.01...1e12)
        }
        return KnativeSettings(
            window: self.setting("window", or: defaults.window, at: position) {
                $0.goSeconds(in: KnativeRanges.window)
            },
            panicWindowPercent: self.setting(
                "panic-window-percentage", or: defaults.panicWindowPercent, at: position
            ) { $0.textNumber(in: 1...100) },
            panicThresholdPercent: self.setting(
                "panic-threshold-percentage", or: defaults.panicThresholdPercent, at: position
            ) { $0.textNumber(in: 110...1000) },
            scaleDownDelay: self.setting(
                "scale-down-delay", or: defaults.scaleDownDelay, at: position
            ) { $0.goSeconds(in: KnativeRanges.delay) },
            retention: self.setting(
                "scale-to-zero-pod-retention-period", or: defaults.retention, at: position
            ) { $0.goSeconds(in: KnativeRanges.delay) },
            minScale: self.setting("min-scale", or: defaults.minScale, at: position) {
                $0.textInteger(in: KubernetesRanges.replicas)
            },
            maxScale: self.setting("max-scale", or: defaults.maxScale, at: position) {
                $0.textInteger(in: KubernetesRanges.replicas)
            },
            target: target.value.map { Setting(value: $0, position: target.position) },
            metric: self.setting("metric", or: isHPA ? "cpu" : "concurrency", at: position) {
                $0.string()
            },
            isKPA: podClass.value == KnativeDefaults.kpa, scalesToZero: defaults.scalesToZero,
            concurrencyDefault: defaults.concurrencyDefault)
    }
}

extension Field {
    /// Reads the spec of a Knative Service, serving.knative.dev/v1.
    func knativeService(_ object: ObjectName, _ defaults: KnativeDefaults) -> KnativeRevision? {
        guard var fields = Fields(self) else { return nil }
        let template = fields.present("template")
        fields.passOver("traffic")
        fields.closeToMisspellings()
        let metadata = template?.peek("metadata")
        let annotationsField = metadata?.peek("annotations")
        let annotations = KnativeAnnotations(annotationsField)
        let at =
            annotationsField?.keyPosition ?? metadata?.keyPosition ?? template?.keyPosition
            ?? self.keyPosition
        let pod = template?.peek("spec")
        let podPosition = pod?.keyPosition ?? at
        let concurrency = pod.read("containerConcurrency", or: 0, at: podPosition)
        var timeout = pod.read("timeoutSeconds", or: defaults.timeout, at: podPosition)
        let start = pod.read("responseStartTimeoutSeconds", or: Int.max, at: podPosition)
        if start.value < timeout.value { timeout = start }
        let deadline = annotations.progressDeadline.flatMap { field in
            field.goSeconds(in: KnativeRanges.any).map {
                Setting(value: $0, position: field.position)
            }
        }
        return KnativeRevision(
            object: object,
            target: Target(
                kind: object.kind, namespace: object.namespace, name: object.name),
            usesGPU: pod.map(\.usesGPU), settings: annotations.settings(defaults, at: at),
            annotationsPosition: at, containerConcurrency: concurrency, timeout: timeout,
            progressDeadline: deadline ?? .unwritten(defaults.progressDeadline, at: at),
            isService: true)
    }

    /// Reads a PodAutoscaler, autoscaling.internal.knative.dev/v1alpha1.
    func knativePodAutoscaler(
        _ object: ObjectName, metadata: Field?, _ defaults: KnativeDefaults
    ) -> KnativeRevision? {
        guard var fields = Fields(self) else { return nil }
        let target = fields.required("scaleTargetRef", "the workload's kind and name")?
            .scaleTarget(in: object.namespace, kindDefault: nil)
        fields.passOver("containerConcurrency", "reachability", "protocolType", "containerStatuses")
        fields.closeToMisspellings()
        let annotationsField = metadata?.peek("annotations")
        let at = annotationsField?.keyPosition ?? metadata?.keyPosition ?? self.keyPosition
        guard let target else { return nil }
        return KnativeRevision(
            object: object, target: target, usesGPU: nil,
            settings: KnativeAnnotations(annotationsField).settings(defaults, at: at),
            annotationsPosition: at,
            containerConcurrency: Field?.some(self).read(
                "containerConcurrency", or: 0, at: self.keyPosition),
            timeout: .unwritten(defaults.timeout, at: at), progressDeadline: nil, isService: false)
    }
}

extension Field? {
    /// A whole number of a map that is not read as a whole, or its default.
    fileprivate func read(_ key: String, or fallback: Int, at position: Position) -> Setting<Int> {
        guard let field = self?.peek(key), !field.isNull,
            let value = field.integer(in: KubernetesRanges.replicas)
        else { return .unwritten(fallback, at: position) }
        return Setting(value: value, position: field.position)
    }
}
