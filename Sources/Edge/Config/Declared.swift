import Budget

/// A name somewhere in the files, for the checks between documents.
struct Reference {
    var name: String
    var position: Position

    init(name: String, position: Position) {
        self.name = name
        self.position = position
    }

    /// Where `field` wrote `name`; `nil` when either is missing.
    init?(_ name: String?, _ field: Field?) {
        guard let name, let field else { return nil }
        self.name = name
        self.position = field.position
    }
}

/// A model as declared: its references even where other parts of it are wrong.
struct DeclaredModel {
    var name: Reference
    var aliases: [Reference] = []
    var ladderModels: [Reference] = []
    var pool: Reference?
    /// `nil` when the classes could not be read.
    var classNames: [String]?
    var spec: ModelSpec?
}

/// A tenant as declared.
struct DeclaredTenant {
    var name: Reference
    var keyIDs: [Reference] = []
    var models: [Reference]?
    var classCeiling: Reference?
    var namespaces: [Reference] = []
    var spec: TenantSpec?
}

/// A pool as declared.
struct DeclaredPool {
    var name: Reference
    var spec: GPUPoolSpec?
}

/// Everything the files of one load declare.
struct Declarations {
    var models: [DeclaredModel] = []
    var tenants: [DeclaredTenant] = []
    var pools: [DeclaredPool] = []
    /// Whether some document or name could not be read, so that an unknown name proves nothing.
    var isPartial = false
}
