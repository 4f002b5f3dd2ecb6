package import Budget
package import RequestPath

extension TenantPlan {
    /// What one written tenant may have.
    package init(_ spec: TenantSpec) {
        self.init(
            name: spec.name, weight: spec.weight, requestsPerMinute: spec.requestsPerMinuteMax,
            tokensPerMinute: spec.tokensPerMinuteMax, concurrency: spec.concurrencyMax)
    }
}
