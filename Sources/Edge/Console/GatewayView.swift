import Budget
import EventLoop
import Gateway
import HTTP
import RequestPath
import Telemetry
import Time

/// Everything there is to show, read once: one short visit to each lock.
struct GatewayView: Sendable {
    var config: GatewayConfig
    var counters: Counters
    /// By endpoint id; `nil` for one that is gone.
    var endpoints: [EndpointGauges?]
    /// In the order of `counters.groups`.
    var classes: [ClassGauges?]
    var liveRequests: Int
    var bufferedBytes: Int
    var bufferedBytesMax: Int
    var events: [GatewayEvents.Entry]
    var status: ServiceStatus.Values
    var process: ProcessFigures
    /// Consoles that watch live.
    var watchers = 0

    init(_ gateway: Gateway, _ status: ServiceStatus) {
        let core = gateway.core
        let config = core.currentConfig
        let counters = gateway.counters
        let ids = config.endpoints.indices.map { EndpointID(raw: $0) }
        let groups = counters.groups.map { (ModelID(raw: $0.plan.model), $0.plan.classIndex) }
        self.config = config
        self.counters = counters
        (self.endpoints, self.classes, self.liveRequests) = core.inspect { admission in
            (
                ids.map { admission.gauges(of: $0) },
                groups.map { admission.gauges(of: $0.0, classIndex: $0.1) },
                admission.liveRequests
            )
        }
        self.bufferedBytes = core.buffered.current
        self.bufferedBytesMax = core.buffered.max
        self.events = core.events.recent
        self.status = status.current
        self.process = ProcessFigures()
    }

    func modelName(_ model: Int) -> String {
        model < self.config.models.count ? self.config.models[model].spec.name : "unknown"
    }

    /// Bounded: every tenant behind the first thousand is `other`.
    func tenantName(_ tenant: Int) -> String {
        guard tenant < Counters.namedMax, tenant < self.config.tenants.count else { return "other" }
        return self.config.tenants[tenant].spec.name
    }

    /// Bounded in the same way.
    func endpointName(_ endpoint: Int) -> String {
        guard endpoint < Counters.namedMax, endpoint < self.config.endpoints.count else {
            return "other"
        }
        return self.config.endpoints[endpoint].engine.url
    }

    /// Why the gateway should not be sent requests, one sentence each; empty when it should.
    var notReady: [String] {
        if self.status.isDraining { return ["draining"] }
        return self.config.models.indices.compactMap { model in
            guard self.config.models[model].isActive else { return nil }
            let own = self.config.endpoints.indices.filter {
                self.config.endpoints[$0].model.raw == model
                    && self.config.endpoints[$0].isActive
            }
            if own.contains(where: { self.endpoints[$0]?.isOpen == true }) { return nil }
            // Scaled to zero: who asks is held until a replica has started.
            if self.config.models[model].spec.budget.deadline.coldStartNanos != nil { return nil }
            return "model \(self.modelName(model)): none of its \(own.count) endpoints takes work"
        }
    }
}
