/// One served model: how it is run and what it promises. `kind: Model`.
package struct ModelSpec: Sendable, Equatable {
    /// `metadata.name`; unique over the whole configuration, aliases included.
    package var name: String
    /// `metadata.namespace`, `default` when unwritten.
    package var namespace: String
    /// Other names a client may ask for.
    package var aliases: [String]
    package var engine: EngineSpec
    package var artifact: ArtifactSpec?
    package var accelerator: AcceleratorSpec?
    package var budget: BudgetSpec
    /// From the highest priority to the lowest; never empty.
    package var classes: [ClassSpec]
    package var overload: OverloadSpec
    package var scaling: ScalingSpec?
    package var rollout: RolloutSpec?

    package init(
        name: String, namespace: String = "default", aliases: [String] = [], engine: EngineSpec,
        artifact: ArtifactSpec? = nil, accelerator: AcceleratorSpec? = nil,
        budget: BudgetSpec = BudgetSpec(), classes: [ClassSpec] = [],
        overload: OverloadSpec = OverloadSpec(), scaling: ScalingSpec? = nil,
        rollout: RolloutSpec? = nil
    ) {
        self.name = name
        self.namespace = namespace
        self.aliases = aliases
        self.engine = engine
        self.artifact = artifact
        self.accelerator = accelerator
        self.budget = budget
        self.classes = classes.isEmpty ? [.standard] : classes.sorted { $0.priority > $1.priority }
        self.overload = overload
        self.scaling = scaling
        self.rollout = rollout
    }

    /// Index into `classes`; `nil` when the model has no class of that name.
    package func classIndex(named name: String) -> Int? {
        self.classes.firstIndex { $0.name == name }
    }

    /// The class of a request that names none: `standard` where it exists, else the middle one,
    /// the higher of two.
    package var defaultClassIndex: Int {
        self.classIndex(named: ClassSpec.standard.name) ?? (self.classes.count - 1) / 2
    }
}

/// Where the weights come from.
package struct ArtifactSpec: Sendable, Equatable {
    /// With its scheme, `hf://org/model@rev`.
    package var uri: String
    /// `sha256:` and 64 lowercase hexadecimal digits.
    package var digest: String?

    package init(uri: String, digest: String? = nil) {
        self.uri = uri
        self.digest = digest
    }
}

/// What one replica needs of a pool.
package struct AcceleratorSpec: Sendable, Equatable {
    /// Name of a `GPUPoolSpec`.
    package var pool: String
    package var share: AcceleratorShare

    package init(pool: String, share: AcceleratorShare) {
        self.pool = pool
        self.share = share
    }
}

/// Whole GPUs, or one slice of one.
package enum AcceleratorShare: Sendable, Equatable {
    case gpus(Int)
    /// A MIG profile such as `3g.40gb`.
    case mig(String)
}
