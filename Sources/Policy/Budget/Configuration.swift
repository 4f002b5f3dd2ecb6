/// The whole written configuration: what a set of budget files, or a cluster's objects, declare.
///
/// Everything in it has passed every check: names are unique, references lead somewhere, bounds are
/// in order. Order is that of the documents. Client-facing names are compared byte for byte.
package struct Configuration: Sendable, Equatable {
    package let models: [ModelSpec]
    package let tenants: [TenantSpec]
    package let pools: [GPUPoolSpec]
    /// Names and aliases to indices of `models`; only ever looked into, never iterated.
    private let modelIndices: [String: Int]

    package init(
        models: [ModelSpec] = [], tenants: [TenantSpec] = [], pools: [GPUPoolSpec] = []
    ) {
        self.models = models
        self.tenants = tenants
        self.pools = pools
        var indices: [String: Int] = [:]
        for (index, model) in models.enumerated() {
            for name in [model.name] + model.aliases where indices[name] == nil {
                indices[name] = index
            }
        }
        self.modelIndices = indices
    }

    /// Index into `models` for a name or an alias a client asked for; `nil` when there is none.
    package func modelIndex(named name: String) -> Int? {
        self.modelIndices[name]
    }

    /// The model of that name or alias.
    package func model(named name: String) -> ModelSpec? {
        self.modelIndices[name].map { self.models[$0] }
    }

    /// The tenant of that name.
    package func tenant(named name: String) -> TenantSpec? {
        self.tenants.first { $0.name == name }
    }

    /// The pool of that name.
    package func pool(named name: String) -> GPUPoolSpec? {
        self.pools.first { $0.name == name }
    }
}
