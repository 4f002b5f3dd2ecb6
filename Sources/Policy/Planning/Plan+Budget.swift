package import Budget
package import RequestPath

extension Plan {
    /// The whole written budget, for a gateway that has just started: models in the order written,
    /// and behind a nameless tenant for requests without a key the tenants in theirs.
    package init(_ configuration: Configuration) {
        self.init(
            models: configuration.models.map { ModelPlan($0, among: configuration.models) },
            tenants: [TenantPlan(TenantSpec(name: "anonymous"))]
                + configuration.tenants.map { TenantPlan($0) })
    }
}
