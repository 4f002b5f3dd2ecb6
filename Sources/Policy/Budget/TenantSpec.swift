/// One tenant: who it is, what it may use and how much. `kind: Tenant`.
package struct TenantSpec: Sendable, Equatable {
    package var name: String
    package var keys: [TenantKeyRecord]
    /// Share of contended capacity relative to other tenants; positive, 1 when unwritten.
    package var weight: Double
    /// The highest class its requests may have; `nil`: any.
    package var classCeiling: String?
    /// Names of the models it may use; `nil`: all.
    package var models: [String]?
    package var requestsPerMinuteMax: UInt32?
    package var tokensPerMinuteMax: UInt64?
    package var concurrencyMax: UInt32?
    /// How long records of its requests are kept; `nil`: the store's own default.
    package var recordRetentionNanos: UInt64?
    /// How long prompts and answers are kept; `nil`: never stored.
    package var promptRetentionNanos: UInt64?
    /// Namespaces that get the tenant's baselines.
    package var namespaces: [String]
    package var deletionPolicy: DeletionPolicy

    package init(
        name: String, keys: [TenantKeyRecord] = [], weight: Double = 1,
        classCeiling: String? = nil, models: [String]? = nil, requestsPerMinuteMax: UInt32? = nil,
        tokensPerMinuteMax: UInt64? = nil, concurrencyMax: UInt32? = nil,
        recordRetentionNanos: UInt64? = nil, promptRetentionNanos: UInt64? = nil,
        namespaces: [String] = [], deletionPolicy: DeletionPolicy = .retain
    ) {
        self.name = name
        self.keys = keys
        self.weight = weight
        self.classCeiling = classCeiling
        self.models = models
        self.requestsPerMinuteMax = requestsPerMinuteMax
        self.tokensPerMinuteMax = tokensPerMinuteMax
        self.concurrencyMax = concurrencyMax
        self.recordRetentionNanos = recordRetentionNanos
        self.promptRetentionNanos = promptRetentionNanos
        self.namespaces = namespaces
        self.deletionPolicy = deletionPolicy
    }

    /// Whether the tenant may use the model of this name.
    package func mayUse(model name: String) -> Bool {
        self.models?.contains(name) ?? true
    }
}

/// What is kept of a tenant's key: enough to know it again, not enough to use it.
package struct TenantKeyRecord: Sendable, Equatable {
    /// The `<id>` of `plm_<id>_<secret>`: 1 to 16 of `a-z0-9`, unique over the configuration.
    package var id: String
    /// 16 bytes.
    package var salt: [UInt8]
    /// SHA-256 of the salt followed by the 43 characters of the secret as bytes; 32 bytes.
    package var hash: [UInt8]

    package init(id: String, salt: [UInt8], hash: [UInt8]) {
        self.id = id
        self.salt = salt
        self.hash = hash
    }
}

/// What happens to a namespace when its tenant goes.
package enum DeletionPolicy: String, CaseIterable, Sendable {
    case retain = "Retain"
    case delete = "Delete"
}
