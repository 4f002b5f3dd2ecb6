import Budget
import Gateway
import RequestPath
import Telemetry

/// The page of `/metrics`: everything a `GatewayView` holds, as families named `plimsoll_*`.
///
/// Labels are bounded by the budget: models, classes, stages, reasons, endpoints, and a thousand
/// tenants.
struct GatewayMetrics {
    private let view: GatewayView
    private var text = MetricsText()

    private typealias Label = MetricsText.Label

    /// Renders the page.
    static func page(_ view: GatewayView) -> [UInt8] {
        var page = GatewayMetrics(view: view)
        page.addRequests()
        page.addRefusals()
        page.addTokens()
        page.addLatencies()
        page.addObjectives()
        page.addQueues()
        page.addEndpoints()
        page.addScaling()
        page.addTenants()
        page.addGateway()
        page.addProcess()
        return page.text.bytes
    }

    private init(view: GatewayView) {
        self.view = view
    }

    private func labels(_ group: GroupCounters) -> [Label] {
        [
            Label("model", self.view.modelName(group.plan.model)),
            Label("class", group.plan.className),
        ]
    }

    /// A counter family with one sample for each group.
    private mutating func perGroup(
        _ name: String, _ help: String, _ value: (GroupCounters) -> UInt64
    ) {
        self.text.open(name, .counter, help)
        for group in self.view.counters.groups {
            self.text.sample(value(group), self.labels(group))
        }
    }

    // MARK: Requests

    private mutating func addRequests() {
        self.text.open(
            "plimsoll_requests_total", .counter,
            "Requests that ended, by outcome. good: completed within every bound of the budget.")
        for group in self.view.counters.groups {
            let outcomes: [(String, UInt64)] = [
                ("good", group.good), ("late", group.completed - min(group.completed, group.good)),
                ("client_error", group.clientErrors), ("refused", group.refused),
                ("failed", group.failedTotal), ("abandoned", group.abandoned),
            ]
            for (outcome, count) in outcomes {
                self.text.sample(count, self.labels(group) + [Label("outcome", outcome)])
            }
        }
        self.perGroup(
            "plimsoll_offered_requests_total",
            "Requests asked for; a client's retry of a refusal is not offered twice.",
            \.offered)
        self.perGroup(
            "plimsoll_client_retries_total", "Requests that were a client's own retry.",
            \.clientRetries)
        self.perGroup(
            "plimsoll_engine_retries_total", "Second and later tries at another endpoint.",
            \.retries)
        self.text.open(
            "plimsoll_hedges_total", .counter,
            "Second tries before the first token: won, or lost to the first.")
        for group in self.view.counters.groups {
            let labels = self.labels(group)
            self.text.sample(group.hedgesWon, labels + [Label("outcome", "won")])
            self.text.sample(group.hedgesLost, labels + [Label("outcome", "lost")])
        }
        self.text.open(
            "plimsoll_degraded_requests_total", .counter,
            "Requests that were served under a step of the degrade ladder.")
        for group in self.view.counters.groups {
            let steps = self.view.config.models[group.plan.model].spec.overload.degrade.count
            for step in 0..<min(steps, group.degraded.count) {
                self.text.sample(
                    group.degraded[step], self.labels(group) + [Label("step", "\(step + 1)")])
            }
        }
        self.text.open(
            "plimsoll_rejected_requests_total", .counter,
            "Requests answered before admission for a fault of the client, by code.")
        let rejected = self.view.counters.rejected.sorted { $0.key < $1.key }
        for (code, count) in rejected { self.text.sample(count, [Label("code", code)]) }
    }

    private mutating func addRefusals() {
        self.text.open(
            "plimsoll_refused_requests_total", .counter,
            "Requests refused, by reason; late ones had waited in the queue.")
        for group in self.view.counters.groups {
            for (index, reason) in RefusalReason.allCases.enumerated() {
                let labels = self.labels(group) + [Label("reason", reason.label)]
                self.text.sample(group.refusedEarly[index], labels + [Label("late", "false")])
                self.text.sample(group.refusedLate[index], labels + [Label("late", "true")])
            }
        }
        self.text.open(
            "plimsoll_failed_requests_total", .counter, "Admitted requests that failed, by reason.")
        for group in self.view.counters.groups {
            for (index, kind) in FailureKind.allCases.enumerated() {
                self.text.sample(
                    group.failed[index], self.labels(group) + [Label("reason", kind.rawValue)])
            }
        }
    }

    private mutating func addTokens() {
        self.text.open("plimsoll_tokens_total", .counter, "Tokens as engines reported them.")
        for group in self.view.counters.groups {
            let kinds = [
                ("prompt", group.promptTokens), ("output", group.outputTokens),
                ("cached", group.cachedTokens),
            ]
            for (kind, count) in kinds {
                self.text.sample(count, self.labels(group) + [Label("kind", kind)])
            }
        }
    }

    // MARK: Latencies

    private mutating func addLatencies() {
        self.histograms(
            "plimsoll_time_to_first_token_seconds",
            "From the first byte of a request to its first token.", \.ttft)
        self.histograms(
            "plimsoll_inter_token_latency_seconds",
            "Mean time between tokens of one streamed answer.", \.interToken)
        self.histograms(
            "plimsoll_end_to_end_latency_seconds",
            "From the first byte of a request to the last of its answer, refusals included.",
            \.endToEnd)
        self.text.open(
            "plimsoll_stage_seconds", .histogram, "Time of each part of a request's way.")
        for group in self.view.counters.groups {
            for stage in Stage.inOrder {
                self.add(group.stages[stage.rawValue], group, [Label("stage", stage.label)])
            }
        }
        self.text.open(
            "plimsoll_queue_wait_seconds", .histogram,
            "Time in the gateway's queue of requests that waited, by cause.")
        for group in self.view.counters.groups {
            for (index, cause) in WaitCause.allCases.enumerated() where cause != .none {
                self.add(group.waits[index], group, [Label("cause", cause.label)])
            }
        }
    }

    private mutating func histograms(
        _ name: String, _ help: String, _ histogram: (GroupCounters) -> LatencyHistogram
    ) {
        self.text.open(name, .histogram, help)
        for group in self.view.counters.groups { self.add(histogram(group), group, []) }
    }

    private mutating func add(
        _ histogram: LatencyHistogram, _ group: GroupCounters, _ more: [Label]
    ) {
        self.text.histogram(
            bounds: histogram.bounds, counts: histogram.counts, sumNanos: histogram.sumNanos,
            self.labels(group) + more)
    }

    private mutating func addObjectives() {
        self.perObjective(
            "plimsoll_objective_requests_total", .counter,
            "Requests judged by an objective of the budget."
        ) { $0.sample($1.total, $3) }
        self.perObjective(
            "plimsoll_objective_inside_total", .counter,
            "Requests inside the bound of an objective."
        ) { $0.sample($1.inside, $3) }
        self.perObjective(
            "plimsoll_objective_bound_seconds", .gauge, "The bound of an objective."
        ) { $0.sample(Double($2.boundNanos) / 1e9, $3) }
    }

    private mutating func perObjective(
        _ name: String, _ kind: MetricsText.Kind, _ help: String,
        _ write: (inout MetricsText, GroupCounters.Inside, GroupPlan.Objective, [Label]) -> Void
    ) {
        self.text.open(name, kind, help)
        for group in self.view.counters.groups {
            for (index, objective) in group.plan.objectives.enumerated() {
                let labels =
                    self.labels(group) + [
                        Label("stage", objective.latency.label),
                        Label("quantile", objective.quantile.name),
                    ]
                write(&self.text, group.inside[index], objective, labels)
            }
        }
    }

    // MARK: Gauges

    private mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        self.text.open(name, .gauge, help)
        self.text.sample(value)
    }

    private mutating func perClass(
        _ name: String, _ help: String, _ value: (ClassGauges) -> Double
    ) {
        self.text.open(name, .gauge, help)
        for (group, gauges) in zip(self.view.counters.groups, self.view.classes) {
            if let gauges { self.text.sample(value(gauges), self.labels(group)) }
        }
    }

    private mutating func addQueues() {
        self.perClass("plimsoll_queue_requests", "Requests waiting in the gateway.") {
            Double($0.queuedRequests)
        }
        self.perClass("plimsoll_queue_bytes", "Body bytes of the requests waiting.") {
            Double($0.queuedBytes)
        }
        self.perClass("plimsoll_queue_prefill_tokens", "Prefill tokens of the requests waiting.") {
            Double($0.queuedPrefillTokens)
        }
        self.perClass("plimsoll_ladder_step", "The degrade ladder's step in force; 0 is off.") {
            Double($0.ladderStep)
        }
        self.perClass(
            "plimsoll_prediction_error_factor",
            "What predicted times are multiplied by to have the confidence asked for."
        ) { $0.errorFactor }
        // The names autoscalers of the field already ask for.
        for name in [
            "inference_extension_flow_control_queue_size", "llm_d_epp_flow_control_queue_size",
        ] {
            self.text.open(name, .gauge, "Alias of plimsoll_queue_requests.")
            for (group, gauges) in zip(self.view.counters.groups, self.view.classes) {
                guard let gauges else { continue }
                let spec = self.view.config.models[group.plan.model].spec
                guard group.plan.classIndex < spec.classes.count else { continue }
                self.text.sample(
                    UInt64(gauges.queuedRequests),
                    [
                        Label("fairness_id", group.plan.className),
                        Label("priority", "\(spec.classes[group.plan.classIndex].priority)"),
                        Label("inference_pool", spec.name), Label("model_name", spec.name),
                        Label("target_model_name", spec.engine.servedModelName ?? spec.name),
                    ])
            }
        }
    }

    private mutating func perEndpoint(
        _ name: String, _ help: String, _ value: (EndpointGauges) -> Double
    ) {
        self.text.open(name, .gauge, help)
        for (index, gauges) in self.view.endpoints.enumerated() where index < Counters.namedMax {
            if let gauges { self.text.sample(value(gauges), self.endpointLabels(index)) }
        }
    }

    private func endpointLabels(_ index: Int) -> [Label] {
        let endpoint = self.view.endpointName(index)
        guard endpoint != "other" else {
            return [Label("model", "other"), Label("endpoint", "other")]
        }
        let model = self.view.config.endpoints[index].model.raw
        return [Label("model", self.view.modelName(model)), Label("endpoint", endpoint)]
    }

    private mutating func addScaling() {
        let models = self.view.status.scaling
        guard !models.isEmpty else { return }
        self.text.open("plimsoll_replicas", .gauge, "Replicas under a scaler, by what they do.")
        for model in models {
            let states = [
                ("ready", model.ready), ("starting", model.startingSeconds.count),
                ("draining", model.draining),
            ]
            for (state, count) in states {
                self.text.sample(
                    Double(count), [Label("model", model.model), Label("state", state)])
            }
        }
        self.text.open(
            "plimsoll_demand_replicas", .gauge, "Replicas that the work asked for keeps busy.")
        for model in models { self.text.sample(model.demand, [Label("model", model.model)]) }
        self.text.open(
            "plimsoll_standby_replicas", .gauge,
            "Replicas kept above the window's peak, for growth within the lead time and chance.")
        for model in models { self.text.sample(model.standby, [Label("model", model.model)]) }
    }

    private mutating func addEndpoints() {
        self.perEndpoint("plimsoll_endpoint_open", "1 when the endpoint takes work.") {
            $0.isOpen ? 1 : 0
        }
        self.perEndpoint("plimsoll_endpoint_half_open", "1 while it is tried after an ejection.") {
            $0.isHalfOpen ? 1 : 0
        }
        self.perEndpoint("plimsoll_endpoint_in_flight_requests", "Requests sent, not settled.") {
            Double($0.inFlight)
        }
        self.perEndpoint("plimsoll_endpoint_prefill_waiting_tokens", "Prefill not yet answered.") {
            Double($0.prefillWaiting)
        }
        self.perEndpoint(
            "plimsoll_endpoint_context_tokens", "Prompt and expected output tokens in flight."
        ) { $0.contextTokens }
        self.perEndpoint("plimsoll_endpoint_sequences_max", "Requests it may hold now.") {
            Double($0.sequencesMax)
        }
        self.perEndpoint("plimsoll_endpoint_prefill_tokens_max", "Prefill that may wait at it.") {
            Double($0.prefillTokensMax)
        }
        self.perEndpoint("plimsoll_endpoint_inter_token_seconds", "Learned time between tokens.") {
            $0.interTokenNanos / 1e9
        }
        self.perEndpoint(
            "plimsoll_endpoint_first_token_seconds",
            "Learned fixed part of the time to first token."
        ) { $0.firstTokenNanos / 1e9 }
        self.perEndpoint(
            "plimsoll_endpoint_prefill_token_seconds", "Learned time for each token of prefill."
        ) { $0.perPrefillTokenNanos / 1e9 }
        self.text.open(
            "plimsoll_endpoint_requests_total", .counter,
            "Requests whose last try was at the endpoint, by outcome.")
        for (index, counts) in self.view.counters.endpoints.enumerated() {
            let labels = self.endpointLabels(index)
            self.text.sample(counts.failed, labels + [Label("outcome", "failed")])
            self.text.sample(
                counts.requests - counts.failed, labels + [Label("outcome", "other")])
        }
        self.text.open(
            "plimsoll_scrape_failures_total", .counter, "Scrapes of engines that gave nothing.")
        self.text.sample(self.view.counters.scrapesFailed)
    }

    private mutating func addTenants() {
        let tenants = self.view.counters.tenants.enumerated().filter { $0.element.requests > 0 }
        self.text.open("plimsoll_tenant_requests_total", .counter, "Requests of a tenant.")
        for (index, counts) in tenants {
            self.text.sample(counts.requests, [Label("tenant", self.view.tenantName(index))])
        }
        self.text.open(
            "plimsoll_tenant_refused_requests_total", .counter, "Refused requests of a tenant.")
        for (index, counts) in tenants {
            self.text.sample(counts.refused, [Label("tenant", self.view.tenantName(index))])
        }
        self.text.open("plimsoll_tenant_tokens_total", .counter, "Tokens of a tenant.")
        for (index, counts) in tenants {
            let tenant = Label("tenant", self.view.tenantName(index))
            self.text.sample(counts.promptTokens, [tenant, Label("kind", "prompt")])
            self.text.sample(counts.outputTokens, [tenant, Label("kind", "output")])
        }
    }

    private mutating func addGateway() {
        let counters = self.view.counters
        let status = self.view.status
        self.gauge(
            "plimsoll_ready", "1 when every model has an endpoint that takes work.",
            self.view.notReady.isEmpty ? 1 : 0)
        self.gauge("plimsoll_draining", "1 while shutting down.", status.isDraining ? 1 : 0)
        self.gauge(
            "plimsoll_live_requests", "Requests admitted, not settled.",
            Double(self.view.liveRequests))
        self.gauge(
            "plimsoll_connections", "Client connections open.", Double(counters.connections))
        self.text.open(
            "plimsoll_turned_away_connections_total", .counter, "Connections closed at the bound.")
        self.text.sample(counters.turnedAway)
        self.gauge(
            "plimsoll_buffered_bytes", "Request bodies held.", Double(self.view.bufferedBytes))
        self.gauge(
            "plimsoll_buffered_bytes_max", "Request bodies that may be held.",
            Double(self.view.bufferedBytesMax))
        self.gauge(
            "plimsoll_config_version", "Grows with each configuration taken up.",
            Double(self.view.config.version))
        self.gauge(
            "plimsoll_config_loaded_timestamp_seconds", "When it was taken up.",
            Double(status.loadedUnixNanos) / 1e9)
        self.gauge(
            "plimsoll_config_faults", "Faults of the files as they are now; 0 when in force.",
            Double(status.faults.count))
        self.text.open(
            "plimsoll_config_reloads_total", .counter, "Reloads of the configuration, by result.")
        self.text.sample(status.reloadsAccepted, [Label("result", "accepted")])
        self.text.sample(status.reloadsRefused, [Label("result", "refused")])
        self.text.open(
            "plimsoll_dropped_log_lines_total", .counter, "Log lines dropped at their bound.")
        self.text.sample(status.droppedLogLines)
        self.gauge(
            "plimsoll_console_watchers", "Consoles that watch live.", Double(self.view.watchers))
        self.text.open("plimsoll_build_info", .gauge, "Always 1; the version as a label.")
        self.text.sample(UInt64(1), [Label("version", status.version)])
    }

    private mutating func addProcess() {
        let process = self.view.process
        self.text.open(
            "process_cpu_seconds_total", .counter, "User and system time of the process.")
        self.text.sample(process.cpuSeconds)
        self.gauge(
            "process_resident_memory_bytes", "Resident memory.", Double(process.residentBytes))
        self.gauge("process_open_fds", "Files open.", Double(process.openFiles))
        self.gauge("process_max_fds", "Files that may be open.", Double(process.openFilesMax))
        self.gauge("process_threads", "Threads.", Double(process.threads))
        self.gauge(
            "process_start_time_seconds", "When the process started.",
            Double(self.view.status.startedUnixNanos) / 1e9)
    }
}

extension Latency {
    /// The label of metrics and of the console.
    var label: String {
        switch self {
        case .timeToFirstToken: "ttft"
        case .interTokenLatency: "itl"
        case .endToEnd: "e2e"
        }
    }
}
