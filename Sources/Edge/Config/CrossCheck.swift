import Budget

/// The checks between documents: names are unique and references lead somewhere.
struct CrossCheck {
    private let declarations: Declarations
    private let faults: FaultList

    init(_ declarations: Declarations, faults: FaultList) {
        self.declarations = declarations
        self.faults = faults
    }

    /// Reports everything wrong between the documents.
    func run() {
        self.checkUnique(
            self.declarations.models.flatMap { [$0.name] + $0.aliases }, "the model name or alias")
        self.checkUnique(self.declarations.tenants.map(\.name), "the tenant name")
        self.checkUnique(self.declarations.pools.map(\.name), "the pool name")
        self.checkUnique(self.declarations.tenants.flatMap(\.keyIDs), "the key id")
        self.checkUnique(
            self.declarations.tenants.flatMap(\.namespaces), "the tenant namespace")
        if !self.declarations.isPartial {
            self.checkReferences()
        }
        LadderCycles(self.declarations.models, faults: self.faults).report()
        self.checkCeilings()
    }

    private func checkUnique(_ references: [Reference], _ what: String) {
        var first: [String: Position] = [:]
        for reference in references {
            if let position = first[reference.name] {
                self.faults.add(
                    reference.position,
                    "\(what) \"\(quoted(reference.name))\" is already used at "
                        + "\(self.faults.place(of: position))")
            } else {
                first[reference.name] = reference.position
            }
        }
    }

    private func checkReferences() {
        let models = self.declarations.models.map(\.name.name)
        let modelNames = Set(models)
        let pools = self.declarations.pools.map(\.name.name)
        let poolNames = Set(pools)
        for model in self.declarations.models {
            for target in model.ladderModels where !modelNames.contains(target.name) {
                self.unknown(target, "the ladder's model", among: models)
            }
            if let pool = model.pool, !poolNames.contains(pool.name) {
                self.unknown(pool, "the pool", among: pools)
            }
        }
        for tenant in self.declarations.tenants {
            for model in tenant.models ?? [] where !modelNames.contains(model.name) {
                self.unknown(model, "the tenant's model", among: models)
            }
        }
    }

    private func unknown(_ reference: Reference, _ what: String, among names: [String]) {
        self.faults.add(
            reference.position,
            "\(what) \"\(quoted(reference.name))\" is not declared in this configuration",
            suggestion: self.modelName(ofAlias: reference.name)
                ?? NearestSpelling.of(reference.name, among: names))
    }

    private func modelName(ofAlias alias: String) -> String? {
        self.declarations.models.first { $0.aliases.contains { $0.name == alias } }?.name.name
    }

    /// A ceiling must be a class of some model the tenant may use.
    private func checkCeilings() {
        var classes: [String: [String]] = [:]
        var everyClass: Set<String> = []
        for model in self.declarations.models {
            // Unread classes, or an unread model, could hold any name.
            guard let names = model.classNames, !self.declarations.isPartial else { return }
            classes[model.name.name] = names
            everyClass.formUnion(names)
        }
        guard !classes.isEmpty else { return }
        for tenant in self.declarations.tenants {
            guard let ceiling = tenant.classCeiling else { continue }
            let usable = tenant.models.map { $0.compactMap { classes[$0.name] }.flatMap(\.self) }
            if let usable {
                guard !usable.isEmpty, !usable.contains(ceiling.name) else { continue }
            } else if everyClass.contains(ceiling.name) {
                continue
            }
            self.faults.add(
                ceiling.position,
                "no model this tenant may use has a class \"\(quoted(ceiling.name))\"",
                suggestion: NearestSpelling.of(
                    ceiling.name, among: usable ?? everyClass.sorted()))
        }
    }
}
