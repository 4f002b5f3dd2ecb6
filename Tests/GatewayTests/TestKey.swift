import Config

/// A tenant's key for a test's budget.
struct TestKey {
    let token: String
    /// The line for `keys`.
    let yaml: String

    init() throws {
        let key = try TenantKey.generate()
        self.token = key.token
        self.yaml = key.yaml
    }
}
