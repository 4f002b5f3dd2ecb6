import Config

/// What Knative scales: a Service's next revision, or a PodAutoscaler. Times in seconds.
struct KnativeRevision {
    var object: ObjectName
    /// The Service itself, or what the PodAutoscaler refers to.
    var target: Target
    /// `nil` where the object holds no pod template.
    var usesGPU: Bool?
    var settings: KnativeSettings
    /// Where annotations of the revision stand or would stand.
    var annotationsPosition: Position
    /// Requests a replica is sent at once; 0 is no limit.
    var containerConcurrency: Setting<Int>
    /// The time a request may take to its end, and to its first byte where that is written.
    var timeout: Setting<Int>
    /// `nil` for a PodAutoscaler, whose revision has it.
    var progressDeadline: Setting<Int>?
    var isService: Bool

    /// Whether its last replica may go.
    var mayBeZero: Bool { self.settings.minScale.value == 0 && self.settings.scalesToZero }

    /// Whether its number of replicas never changes.
    var isFixed: Bool {
        self.settings.minScale.value > 0
            && self.settings.minScale.value == self.settings.maxScale.value
    }
}

/// The autoscaling settings of a revision: its annotations over the cluster's ConfigMaps.
struct KnativeSettings {
    var window: Setting<Int>
    var panicWindowPercent: Setting<Double>
    var panicThresholdPercent: Setting<Double>
    var scaleDownDelay: Setting<Int>
    /// How long the last pod stays after the decision to have none.
    var retention: Setting<Int>
    /// 0 where nothing is kept.
    var minScale: Setting<Int>
    /// 0 is no limit.
    var maxScale: Setting<Int>
    /// `nil`: the cluster's default for the metric.
    var target: Setting<Double>?
    var metric: Setting<String>
    var isKPA: Bool
    var scalesToZero: Bool
    /// Requests at once that a replica is scaled for where no target is written.
    var concurrencyDefault: Double
}

/// What the ConfigMaps config-autoscaler, config-deployment and config-defaults of the files say,
/// over Knative's own defaults. Source: these maps in knative/serving, config/core/configmaps.
struct KnativeDefaults {
    var window = 60
    var panicWindowPercent = 10.0
    var panicThresholdPercent = 200.0
    var scaleDownDelay = 0
    var retention = 0
    var minScale = 0
    var maxScale = 0
    var concurrencyTarget = 100.0
    var targetPercent = 70.0
    var scalesToZero = true
    var podClass = KnativeDefaults.kpa
    var progressDeadline = 600
    var timeout = 300

    static let kpa = "kpa.autoscaling.knative.dev"
    static let hpa = "hpa.autoscaling.knative.dev"

    /// Keys of config-autoscaler that are known and decide nothing here.
    private static let others = [
        "_example", "requests-per-second-target-default", "target-burst-capacity",
        "max-scale-up-rate", "max-scale-down-rate", "scale-to-zero-grace-period",
        "activator-capacity", "initial-scale", "allow-zero-initial-scale", "max-scale-limit",
        "tick-interval", "enable-graceful-scaledown",
    ]

    /// Takes what a ConfigMap of one of the three names writes.
    mutating func read(_ data: Field, ofMap name: String) {
        guard var fields = Fields(data) else { return }
        switch name {
        case "config-deployment":
            let field = fields.present("progress-deadline")
            self.progressDeadline =
                field?.goSeconds(in: KnativeRanges.any) ?? self.progressDeadline
        case "config-defaults":
            let field = fields.present("revision-timeout-seconds")
            self.timeout = field?.textInteger(in: KnativeRanges.any) ?? self.timeout
        default:
            self.readAutoscaler(&fields)
        }
    }

    private mutating func readAutoscaler(_ fields: inout Fields) {
        func seconds(_ key: String, _ value: inout Int, _ range: ClosedRange<Int>) {
            value = fields.present(key)?.goSeconds(in: range) ?? value
        }
        func integer(_ key: String, _ value: inout Int) {
            value = fields.present(key)?.textInteger(in: KubernetesRanges.replicas) ?? value
        }
        func number(_ key: String, _ value: inout Double, _ range: ClosedRange<Double>) {
            value = fields.present(key)?.textNumber(in: range) ?? value
        }
        seconds("stable-window", &self.window, KnativeRanges.window)
        seconds("scale-down-delay", &self.scaleDownDelay, KnativeRanges.delay)
        seconds("scale-to-zero-pod-retention-period", &self.retention, KnativeRanges.delay)
        number("panic-window-percentage", &self.panicWindowPercent, 1...100)
        number("panic-threshold-percentage", &self.panicThresholdPercent, 110...1000)
        integer("min-scale", &self.minScale)
        integer("max-scale", &self.maxScale)
        number("container-concurrency-target-default", &self.concurrencyTarget, 0.01...1e9)
        number("container-concurrency-target-percentage", &self.targetPercent, 0.01...100)
        // Up to 1 it is a fraction: the map's own comment.
        if self.targetPercent <= 1 { self.targetPercent *= 100 }
        self.scalesToZero = fields.present("enable-scale-to-zero")?.flag() ?? self.scalesToZero
        self.podClass = fields.present("pod-autoscaler-class")?.string() ?? self.podClass
        for key in Self.others { _ = fields.optional(key) }
        fields.closeToMisspellings()
    }
}

/// The ranges that Knative's own validation sets, in seconds.
enum KnativeRanges {
    static let window = 6...3600
    static let delay = 0...3600
    static let any = 0...86_400 * 366
}

extension Field {
    /// A whole number written as text, as annotations and ConfigMaps have them.
    func textInteger(in range: ClosedRange<Int>) -> Int? {
        guard let number = self.textNumber(in: Double(range.lowerBound)...Double(range.upperBound))
        else { return nil }
        guard let integer = Int(exactly: number) else {
            self.fault("\(self.path): \"\(quoted(shortText(number)))\" is not a whole number")
            return nil
        }
        return integer
    }

    /// A number written as text.
    func textNumber(in range: ClosedRange<Double>) -> Double? {
        guard let text = self.string("a number in quotes") else { return nil }
        guard let value = decimal(text[...]) else {
            self.fault("\(self.path): \"\(quoted(text))\" is not a number")
            return nil
        }
        guard range.contains(value) else {
            self.fault(
                "\(self.path) is \(quoted(text)): it must be from \(shortText(range.lowerBound)) "
                    + "to \(shortText(range.upperBound))")
            return nil
        }
        return value
    }
}
