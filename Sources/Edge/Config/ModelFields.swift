import Budget

extension Field {
    /// Reads the spec of a `Model`.
    func model(named name: Reference, namespace: String) -> DeclaredModel {
        var model = DeclaredModel(name: name)
        guard var fields = Fields(self) else { return model }
        let faultsBefore = self.faults.count
        model.aliases =
            fields.optional("aliases")?.items(max: 64)?.compactMap {
                Reference($0.modelAlias(), $0)
            } ?? []
        let engine = fields.required("engine", "engine: {kind: ...}")?.engine()
        let artifact = fields.optional("artifact")?.artifact()
        let accelerator = fields.optional("accelerator")?.accelerator(reference: &model.pool)
        let budgetField = fields.optional("budget")
        let budget = budgetField == nil ? BudgetSpec() : budgetField?.budget()
        let isSound = self.faults.count == faultsBefore && budget != nil
        let classField = fields.optional("classes")
        let classes = classField.map { $0.classes(budget ?? BudgetSpec()) } ?? [.standard]
        model.classNames = classes?.map(\.name)
        let overload =
            fields.optional("overload")?.overload(references: &model.ladderModels)
            ?? OverloadSpec()
        let scaling = fields.optional("scaling")?.scaling()
        let rollout = fields.optional("rollout")?.rollout()
        fields.close()
        guard let engine, let classes else { return model }
        let spec = ModelSpec(
            name: name.name, namespace: namespace, aliases: model.aliases.map(\.name),
            engine: engine, artifact: artifact, accelerator: accelerator,
            budget: budget ?? BudgetSpec(),
            classes: classes, overload: overload, scaling: scaling, rollout: rollout)
        if isSound {
            self.checkBounds(spec, at: classField?.keyPosition ?? self.keyPosition)
            self.checkColdStart(spec)
        }
        model.spec = spec
        return model
    }

    /// Every class needs a bound to plan to.
    private func checkBounds(_ model: ModelSpec, at position: Position) {
        for spec in model.classes where model.bounds(of: spec).timeToFirstTokenNanos == .max {
            self.faults.add(
                position,
                "class \"\(spec.name)\" has no bound on the time to first token: "
                    + "write budget.objectives.timeToFirstToken or a deadline")
        }
    }

    private func checkColdStart(_ model: ModelSpec) {
        if let scaling = model.scaling, scaling.replicasMin == 0,
            model.budget.deadline.coldStartNanos == nil
        {
            self.faults.warn(
                self.keyPosition,
                "scaling.replicas.min is 0 and budget.deadline.coldStart is not written: "
                    + "the first requests will miss their deadline")
        }
    }

    private func artifact() -> ArtifactSpec? {
        guard var fields = Fields(self) else { return nil }
        let uriField = fields.required("uri", "where the weights are, such as hf://org/model@rev")
        let uri = uriField?.string("a URI")
        if let uri, let uriField, !Self.hasScheme(uri) {
            uriField.fault(
                "\(uriField.path): \"\(quoted(uri))\" has no scheme such as hf:// or s3://")
        }
        let digest = fields.optional("digest")?.digest()
        fields.close()
        return uri.map { ArtifactSpec(uri: $0, digest: digest) }
    }

    private func digest() -> String? {
        guard let text = self.string("a digest") else { return nil }
        let prefix = "sha256:"
        let digits = text.utf8.dropFirst(prefix.utf8.count)
        let isHex = digits.allSatisfy { byte in
            (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
                || (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"))
        }
        guard text.hasPrefix(prefix), digits.count == 64, isHex else {
            self.fault(
                "\(self.path): \"\(quoted(text))\" is not sha256: and 64 lowercase hex digits")
            return nil
        }
        return text
    }

    private func accelerator(reference: inout Reference?) -> AcceleratorSpec? {
        guard var fields = Fields(self) else { return nil }
        let poolField = fields.required("pool", "the name of a GPUPool")
        let pool = poolField?.objectName()
        reference = Reference(pool, poolField)
        let gpusField = fields.optional("gpus")
        let gpus = gpusField?.integer(in: 1...64)
        let migField = fields.optional("mig")
        let mig = migField?.migProfile()
        fields.close()
        if gpusField != nil, let migField {
            self.faults.add(
                migField.keyPosition, "\(self.path) has both gpus and mig: remove one")
        }
        if gpusField == nil, migField == nil {
            self.faults.add(
                self.keyPosition, "\(self.path) needs gpus: 1 or a slice such as mig: 3g.40gb")
        }
        guard let pool, let share = gpus.map(AcceleratorShare.gpus) ?? mig.map(AcceleratorShare.mig)
        else { return nil }
        return AcceleratorSpec(pool: pool, share: share)
    }

    private func migProfile() -> String? {
        guard let text = self.string("a MIG profile such as 3g.40gb") else { return nil }
        guard isMIGProfile(text) else {
            self.fault(
                "\(self.path): \"\(quoted(text))\" is not a MIG profile such as 3g.40gb")
            return nil
        }
        return text
    }

    private static func hasScheme(_ text: String) -> Bool {
        let scheme = text.utf8.prefix { $0 != UInt8(ascii: ":") }
        let rest = text.utf8.dropFirst(scheme.count)
        return !scheme.isEmpty && scheme.allSatisfy(\.isLowerOrDigit)
            && rest.starts(with: "://".utf8) && rest.count > 3
    }
}

/// `<slices>g.<memory>gb`, maybe with an attribute as in `1g.10gb+me`.
func isMIGProfile(_ text: String) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count == 2, parts[0].hasSuffix("g"),
        let slices = parts[0].first, ("1"..."7").contains(slices)
    else { return false }
    let memory = parts[1].prefix { ("0"..."9").contains($0) }
    let rest = parts[1].dropFirst(memory.count)
    return (1...4).contains(memory.count) && !memory.hasPrefix("0")
        && ["gb", "gb+me", "gb+gfx"].contains(rest)
}
