/// A pool of like GPU nodes. `kind: GPUPool`.
package struct GPUPoolSpec: Sendable, Equatable {
    package var name: String
    /// Labels a node of the pool carries, in written order; never empty.
    package var nodeSelector: [NodeLabel]
    package var taint: TaintSpec?
    package var gpusPerNode: Int
    /// MIG slices each GPU is cut into, in written order; empty: GPUs stay whole.
    package var mig: [MIGSlice]
    package var pricePerGPUHour: Money?
    package var nodesMin: Int
    /// At least `nodesMin`.
    package var nodesMax: Int
    /// Time from asking for a node to its being ready; declared until learned.
    package var provisioning: LatencyBounds?

    package init(
        name: String, nodeSelector: [NodeLabel], taint: TaintSpec? = nil, gpusPerNode: Int,
        mig: [MIGSlice] = [], pricePerGPUHour: Money? = nil, nodesMin: Int = 0, nodesMax: Int,
        provisioning: LatencyBounds? = nil
    ) {
        self.name = name
        self.nodeSelector = nodeSelector
        self.taint = taint
        self.gpusPerNode = gpusPerNode
        self.mig = mig
        self.pricePerGPUHour = pricePerGPUHour
        self.nodesMin = nodesMin
        self.nodesMax = nodesMax
        self.provisioning = provisioning
    }
}

/// A label of a node.
package struct NodeLabel: Sendable, Equatable {
    package var key: String
    package var value: String

    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// The taint that keeps other work off a pool.
package struct TaintSpec: Sendable, Equatable {
    package var key: String
    package var value: String?
    package var effect: TaintEffect

    package init(key: String, value: String? = nil, effect: TaintEffect) {
        self.key = key
        self.value = value
        self.effect = effect
    }
}

/// What a taint does to a pod that does not tolerate it.
package enum TaintEffect: String, CaseIterable, Sendable {
    case noSchedule = "NoSchedule"
    case preferNoSchedule = "PreferNoSchedule"
    case noExecute = "NoExecute"
}

/// How many slices of one MIG profile a GPU is cut into.
package struct MIGSlice: Sendable, Equatable {
    /// `3g.40gb`.
    package var profile: String
    package var count: Int

    package init(profile: String, count: Int) {
        self.profile = profile
        self.count = count
    }
}
