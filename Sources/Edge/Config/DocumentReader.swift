import Budget

/// Reads one document: its envelope here, its spec by kind.
struct DocumentReader {
    static let apiVersion = "plimsoll.dev/v1alpha1"

    private enum Kind: String, CaseIterable {
        case model = "Model"
        case tenant = "Tenant"
        case pool = "GPUPool"
    }

    /// Adds what the document declares.
    static func read(_ root: Field, into declarations: inout Declarations) {
        guard var fields = Fields(root), self.checkVersion(&fields) else {
            declarations.isPartial = true
            return
        }
        let kind = fields.required("kind", "Model, Tenant or GPUPool")?.choice(of: Kind.self)
        let metadata = fields.required("metadata", "metadata: {name: ...}")
        let spec = fields.required("spec", "the \(kind?.rawValue ?? "object")'s fields")
        fields.close()
        guard let kind else {
            declarations.isPartial = true
            return
        }
        let identity = metadata.flatMap { self.identity($0, isNamespaced: kind == .model) }
        guard let identity else {
            declarations.isPartial = true
            _ = self.declare(kind, ("", "default", nil), spec)
            return
        }
        switch self.declare(kind, (identity.name.name, identity.namespace, identity.name), spec) {
        case .model(let model): declarations.models.append(model)
        case .tenant(let tenant): declarations.tenants.append(tenant)
        case .pool(let pool): declarations.pools.append(pool)
        case nil: declarations.isPartial = true
        }
    }

    private enum Declared {
        case model(DeclaredModel)
        case tenant(DeclaredTenant)
        case pool(DeclaredPool)
    }

    /// Reads the spec; without a reference it is read for its faults only.
    private static func declare(
        _ kind: Kind, _ identity: (name: String, namespace: String, reference: Reference?),
        _ spec: Field?
    ) -> Declared? {
        guard let spec else { return nil }
        let reference =
            identity.reference
            ?? Reference(name: identity.name, position: spec.position)
        let declared: Declared
        switch kind {
        case .model:
            declared = .model(spec.model(named: reference, namespace: identity.namespace))
        case .tenant:
            declared = .tenant(spec.tenant(named: reference))
        case .pool:
            declared = .pool(spec.pool(named: reference))
        }
        return identity.reference == nil ? nil : declared
    }

    /// False when the document belongs to another API: then nothing else of it is judged.
    private static func checkVersion(_ fields: inout Fields) -> Bool {
        guard let field = fields.required("apiVersion", self.apiVersion),
            let (text, _) = field.scalar(self.apiVersion), text != self.apiVersion
        else { return true }
        let nearest = NearestSpelling.of(text, among: [self.apiVersion])
        field.fault(
            "apiVersion: \"\(quoted(text))\" is not \(self.apiVersion)", suggestion: nearest)
        return nearest != nil
    }

    private static func identity(
        _ metadata: Field, isNamespaced: Bool
    ) -> (name: Reference, namespace: String)? {
        guard var fields = Fields(metadata) else { return nil }
        let field = fields.required("name", "a name")
        let name = field?.objectName()
        var namespace = "default"
        if isNamespaced {
            namespace = fields.optional("namespace")?.objectName() ?? namespace
        } else if let field = fields.refuse("namespace") {
            self.refuseNamespace(field)
        }
        _ = fields.optional("labels")?.stringMap()
        _ = fields.optional("annotations")?.stringMap()
        fields.close()
        return Reference(name, field).map { ($0, namespace) }
    }

    private static func refuseNamespace(_ field: Field) {
        field.faults.add(
            field.keyPosition, "Tenant and GPUPool are cluster-scoped: remove metadata.namespace")
    }
}
