import Budget

/// Seconds from asking for a replica to its first answer.
package struct LeadTime: Sendable, Equatable {
    /// Half of the starts take at most so long, and nearly all at most so long.
    package struct Span: Sendable, Equatable {
        package var typical: Int
        package var slow: Int

        package init(typical: Int, slow: Int) {
            self.typical = typical
            self.slow = max(typical, slow)
        }
    }

    /// Asking for a node to its being ready.
    package var node: Span
    /// The pod's start on a ready node to the model's first answer.
    package var pod: Span

    package init(node: Span, pod: Span) {
        self.node = node
        self.pod = pod
    }

    /// A lead time given as a whole: its part for the node is the usual one, as far as it fits.
    package init(whole: Span) {
        let node = min(whole.typical, Self.reference.node.typical)
        let pod = whole.typical - node
        let slowNode = min(whole.slow - pod, Self.reference.node.slow)
        self.node = Span(typical: node, slow: slowNode)
        self.pod = Span(typical: pod, slow: whole.slow - slowNode)
    }

    /// What is assumed where nothing is written.
    ///
    /// A GPU node takes 2 to 3 min on EKS (aws/karpenter-provider-aws#1091), 3 to 4 on GCE (the
    /// cluster autoscaler's FAQ) and up to 5 at Hugging Face Endpoints: 180 s, and 300 s at worst.
    /// A vLLM pod is ready after 2 to 8 min (llm-d/llm-d-autoscaling#1071); Llama-3.1-8B on one
    /// L40S takes 294 s cold (tensorfuse.io): 300 s, and 480 s at worst.
    package static let reference = LeadTime(
        node: Span(typical: 180, slow: 300), pod: Span(typical: 300, slow: 480))

    /// The usual whole, for what must outlast a start to be worth it.
    package var typical: Int { self.node.typical + self.pod.typical }

    /// The whole at worst, for what must not end before a start does.
    package var slow: Int { self.node.slow + self.pod.slow }
}

/// What objects are held to: lead times, and the budget's models where one is given.
struct Expectations {
    private let configuration: Configuration?
    /// Given on the command line: holds for everything.
    private let fixed: LeadTime?

    init(configuration: Configuration?, fixed: LeadTime?) {
        self.configuration = configuration
        self.fixed = fixed
    }

    /// The budget's model that a workload serves: it adopted that workload, or has its name, or is
    /// the only model.
    func model(_ target: Target) -> ModelSpec? {
        guard let models = self.configuration?.models else { return nil }
        let named = models.first { model in
            guard model.namespace == target.namespace else { return false }
            if case .adopted(_, let kind, let name) = model.engine.workload {
                return kind == target.kind && name == target.name
            }
            return model.name == target.name
        }
        return named ?? (models.count == 1 ? models[0] : nil)
    }

    /// The lead time of a workload. One that no model is known of gets the shortest of all, so that
    /// what is found holds for any.
    func leadTime(_ target: Target) -> LeadTime {
        if let model = self.model(target) { return self.leadTime(model) }
        return self.shortest
    }

    /// The lead time of a node pool.
    func leadTime(_ pool: NodePool) -> LeadTime {
        self.pool(pool).map { self.leadTime($0) } ?? self.shortest
    }

    /// The budget's pool that a node pool makes the nodes of: by its name, or by all its labels.
    func pool(_ pool: NodePool) -> GPUPoolSpec? {
        self.configuration?.pools.first { spec in
            spec.name == pool.object.name
                || spec.nodeSelector.allSatisfy {
                    pool.nodeLabels.contains("\($0.key)=\($0.value)")
                }
        }
    }

    /// One line on what was assumed.
    var note: String {
        let lead = self.shortest
        let figures = "\(lead.typical) s, \(lead.slow) s at worst"
        if self.fixed != nil { return "lead time \(figures), as given" }
        let pods = "pods ready \(lead.pod.typical) to \(lead.pod.slow) s"
        if let configuration, configuration.pools.contains(where: { $0.provisioning != nil }) {
            return "lead time \(figures): GPU nodes as the budget's pools declare, \(pods) by "
                + "published starts; --lead-time sets yours"
        }
        return "lead time \(figures): GPU nodes ready \(lead.node.typical) to "
            + "\(lead.node.slow) s, \(pods) by published starts; --lead-time sets yours"
    }

    private var shortest: LeadTime {
        if let fixed = self.fixed { return fixed }
        let all = (self.configuration?.models ?? []).map { self.leadTime($0) }
        return all.min { $0.typical < $1.typical } ?? .reference
    }

    private func leadTime(_ model: ModelSpec) -> LeadTime {
        if let fixed = self.fixed { return fixed }
        let pool = model.accelerator.flatMap { self.configuration?.pool(named: $0.pool) }
        return pool.map { self.leadTime($0) } ?? .reference
    }

    private func leadTime(_ pool: GPUPoolSpec) -> LeadTime {
        if let fixed = self.fixed { return fixed }
        guard let bounds = pool.provisioning?.bounds, let first = bounds.first,
            let last = bounds.last
        else { return .reference }
        return LeadTime(
            node: LeadTime.Span(
                typical: wholeSeconds(first.nanos), slow: wholeSeconds(last.nanos)),
            pod: LeadTime.reference.pod)
    }
}

/// Nanoseconds as seconds, rounded up.
func wholeSeconds(_ nanos: UInt64) -> Int {
    Int(nanos / 1_000_000_000) + (nanos % 1_000_000_000 == 0 ? 0 : 1)
}
