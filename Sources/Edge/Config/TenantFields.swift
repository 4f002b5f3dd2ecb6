import Budget

extension Field {
    /// Reads the spec of a `Tenant`.
    func tenant(named name: Reference) -> DeclaredTenant {
        var tenant = DeclaredTenant(name: name)
        guard var fields = Fields(self) else { return tenant }
        let keys = fields.optional("keys")?.tenantKeys(references: &tenant.keyIDs) ?? []
        let weight = fields.optional("weight")?.number(in: Ranges.weight)
        let ceilingField = fields.optional("classCeiling")
        tenant.classCeiling = Reference(ceilingField?.objectName(), ceilingField)
        tenant.models = fields.optional("models")?.items(max: 1024)?.compactMap {
            Reference($0.modelAlias(), $0)
        }
        let limits = fields.optional("limits")?.tenantLimits()
        let retention = fields.optional("retention")?.retention()
        tenant.namespaces =
            fields.optional("namespaces")?.items(max: 256)?.compactMap {
                Reference($0.objectName(), $0)
            } ?? []
        let deletion = fields.optional("deletionPolicy")?.choice(of: DeletionPolicy.self)
        fields.close()
        if keys.isEmpty, !fields.has("keys") {
            self.faults.warn(
                self.keyPosition,
                "tenant \"\(name.name)\" has no keys: no client can be it (see plimsoll key new)")
        }
        tenant.spec = TenantSpec(
            name: name.name, keys: keys, weight: weight ?? 1,
            classCeiling: tenant.classCeiling?.name, models: tenant.models?.map(\.name),
            requestsPerMinuteMax: limits?.requests, tokensPerMinuteMax: limits?.tokens,
            concurrencyMax: limits?.concurrency, recordRetentionNanos: retention?.records,
            promptRetentionNanos: retention?.prompts, namespaces: tenant.namespaces.map(\.name),
            deletionPolicy: deletion ?? .retain)
        return tenant
    }

    private func tenantKeys(references: inout [Reference]) -> [TenantKeyRecord]? {
        guard let items = self.items(max: 64) else { return nil }
        return items.compactMap { item in
            guard var fields = Fields(item) else { return nil }
            for key in ["secret", "token", "key"] {
                if let field = fields.refuse(key) {
                    self.faults.add(
                        field.keyPosition,
                        "\(field.path): a secret must not be written here: "
                            + "keep the salt and hash that plimsoll key new prints")
                }
            }
            let idField = fields.required("id", "the id that plimsoll key new prints")
            let id = idField?.keyID()
            let salt = fields.required("salt", "the salt that plimsoll key new prints")?
                .keyBytes(count: TenantKey.saltBytes)
            let hash = fields.required("hash", "the hash that plimsoll key new prints")?
                .keyBytes(count: TenantKey.hashBytes)
            fields.close()
            if let reference = Reference(id, idField) {
                references.append(reference)
            }
            guard let id, let salt, let hash else { return nil }
            return TenantKeyRecord(id: id, salt: salt, hash: hash)
        }
    }

    private func keyID() -> String? {
        guard let (text, _) = self.scalar("a key's id") else { return nil }
        guard (1...TenantKey.idBytesMax).contains(text.utf8.count),
            text.utf8.allSatisfy(\.isLowerOrDigit)
        else {
            self.fault(
                "\(self.path) must be 1 to \(TenantKey.idBytesMax) lowercase letters and digits")
            return nil
        }
        return text
    }

    /// Reads salt or hash. The value is never quoted: it may be a secret in the wrong place.
    private func keyBytes(count: Int) -> [UInt8]? {
        guard let (text, _) = self.scalar("what plimsoll key new prints") else { return nil }
        guard let bytes = Base64URL.decode(text.utf8), bytes.count == count else {
            self.fault(
                "\(self.path) must be \(Base64URL.length(ofBytes: count)) base64url characters, "
                    + "as plimsoll key new prints them")
            return nil
        }
        return bytes
    }

    private func tenantLimits() -> (requests: UInt32?, tokens: UInt64?, concurrency: UInt32?)? {
        guard var fields = Fields(self) else { return nil }
        let requests = fields.optional("requestsPerMinute")?.integer(
            in: UInt32(1)...UInt32(1_000_000_000))
        let tokens = fields.optional("tokensPerMinute")?.integer(
            in: UInt64(1)...UInt64(1_000_000_000_000))
        let concurrency = fields.optional("concurrency")?.integer(
            in: UInt32(1)...UInt32(1_000_000))
        fields.close()
        return (requests, tokens, concurrency)
    }

    private func retention() -> (records: UInt64?, prompts: UInt64?)? {
        guard var fields = Fields(self) else { return nil }
        let records = fields.optional("records")?.duration(in: Ranges.retention)
        var prompts: UInt64?
        if let field = fields.optional("prompts") {
            if case .scalar("none", _) = field.node.content {
                prompts = nil
            } else {
                prompts = field.duration(in: Ranges.retention)
            }
        }
        fields.close()
        return (records, prompts)
    }
}
