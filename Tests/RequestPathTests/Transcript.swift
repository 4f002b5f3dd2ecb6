import RequestPath
import Time

/// Tells a story to admission: one command a line, `----`, the actions, an empty line.
///
/// Lines that begin with `#` are kept. Commands:
///
///     plan [plan=MS] [deadline=MS] [slots=N] [cold=MS] [ladder=cap:N,model:N] [itl=MS]
///          [queue=N] [models=N] [tenant=NAME[:concurrency=N][:rpm=N]]...
///     add E [model=M] [starting]      remove E      probed E up|down
///     arrive R [tokens=N] [tenant=T] [class=C] [model=M] [max=N] [times=N]
///                                     [whole] [final] [tools]
///     first R      progress R N       finish R [out=N]     declined R     cancel R
///     failed R FAILURE [late]         wait MS
///
/// `wait` lets time pass and ticks at each deadline on the way.
enum Transcript {
    static func retell(_ story: String) -> String {
        var teller = Teller()
        var told = ""
        var isAnswer = false
        for line in story.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "----" {
                isAnswer = true
            } else if line.isEmpty {
                isAnswer = false
            } else if line.hasPrefix("#") {
                told += "\(line)\n"
            } else if !isAnswer {
                told += "\(line)\n----\n"
                for action in teller.tell(String(line)) { told += action + "\n" }
                told += "\n"
            }
        }
        while told.hasSuffix("\n\n") { told.removeLast() }
        return told
    }
}

private struct Teller {
    private var admission = Admission(plan: Plan(models: [], tenants: []), seed: 1)
    private var nowMs = 0.0
    private var actions = ActionBuffer()
    private var out: [String] = []

    mutating func tell(_ line: String) -> [String] {
        self.out = []
        let words = line.split(separator: " ").map(String.init)
        let command = words.first ?? ""
        let rest = Words(words.dropFirst())
        switch command {
        case "plan": self.admission = Admission(plan: Self.plan(rest), seed: 1)
        case "wait": self.wait(Double(rest.number(0)))
        // Time that passes without the clock being told, as in a loop that is late.
        case "pass": self.nowMs += Double(rest.number(0))
        default:
            guard let event = Self.event(command, rest) else { return ["? \(line)"] }
            for event in event { self.step(event) }
        }
        return self.out
    }

    private var now: Instant { Instant(nanos: UInt64(self.nowMs * 1e6)) }

    private mutating func wait(_ ms: Double) {
        let until = self.nowMs + ms
        while let due = self.admission.nextDeadline(), Double(due.nanos) / 1e6 <= until {
            self.nowMs = max(self.nowMs, Double(due.nanos) / 1e6)
            let before = self.out.count
            self.step(.tick)
            for index in before..<self.out.count {
                self.out[index] = "\(Self.ms(UInt64(self.nowMs * 1e6))): " + self.out[index]
            }
        }
        self.nowMs = until
    }

    private mutating func step(_ event: Event) {
        self.actions.removeAll()
        self.admission.step(event, now: self.now, into: &self.actions)
        for action in self.actions.actions { self.out.append(Self.word(action)) }
    }

    private static func plan(_ words: Words) -> Plan {
        let planMs = words.value("plan").flatMap(UInt64.init) ?? 1000
        let deadlineMs = words.value("deadline").flatMap(UInt64.init) ?? planMs * 2
        let bounds = ClassPlan(
            name: "only", planNanos: planMs * 1_000_000, deadlineNanos: deadlineMs * 1_000_000,
            queueRequestsMax: words.value("queue").flatMap(Int.init) ?? 2000)
        var model = ModelPlan(name: "chat", classes: [bounds])
        model.concurrentRequestsMax = words.value("slots").flatMap(UInt32.init)
        model.hedgeShare = words.value("hedge").flatMap(Double.init) ?? 0
        model.coldStartNanos = words.value("cold").flatMap(UInt64.init).map { $0 * 1_000_000 }
        model.interTokenBoundNanos = words.value("itl").flatMap(UInt64.init).map { $0 * 1_000_000 }
        let other = ModelPlan(name: "small", classes: [bounds])
        for step in words.value("ladder")?.split(separator: ",") ?? [] {
            let pair = step.split(separator: ":")
            guard pair.count == 2, let number = Int(pair[1]) else { continue }
            model.ladder.append(
                pair[0] == "cap"
                    ? .cap(outputTokens: UInt32(number)) : .model(ModelID(raw: number)))
        }
        var tenants = words.values("tenant").map { Self.tenant($0) }
        if tenants.isEmpty { tenants = [TenantPlan(name: "one")] }
        let models = words.value("models") == "2" ? [model, other] : [model]
        return Plan(models: models, tenants: tenants)
    }

    private static func tenant(_ text: String) -> TenantPlan {
        let parts = text.split(separator: ":").map(String.init)
        let words = Words(parts.dropFirst())
        return TenantPlan(
            name: parts.first ?? "", requestsPerMinute: words.value("rpm").flatMap(UInt32.init),
            concurrency: words.value("concurrency").flatMap(UInt32.init))
    }

    private static func event(_ command: String, _ words: Words) -> [Event]? {
        let request = RequestID(raw: UInt64(words.number(0)))
        let endpoint = EndpointID(raw: words.number(0))
        switch command {
        case "add":
            let model = ModelID(raw: words.value("model").flatMap(Int.init) ?? 0)
            return [.endpointAdded(endpoint, model: model, ready: !words.has("starting"))]
        case "remove": return [.endpointRemoved(endpoint)]
        case "probed": return [.probed(endpoint, healthy: words.has("up"))]
        case "arrive": return self.arrivals(words)
        case "first": return [.firstToken(request)]
        case "progress": return [.progress(request, outputTokens: UInt32(words.number(1)))]
        case "finish":
            let output = words.value("out").flatMap(UInt32.init)
            return [
                .finish(request, usage: output.map { Usage(promptTokens: 0, outputTokens: $0) })
            ]
        case "declined": return [.declined(request)]
        case "cancel": return [.cancel(request)]
        case "failed":
            guard let failure = Failure.allCases.first(where: { words.has("\($0)") }) else {
                return nil
            }
            return [.attemptFailed(request, failure, beforeFirstByte: !words.has("late"))]
        case "won": return [.hedgeWon(request)]
        case "unhedged":
            return [.hedgeFailed(request, Failure.allCases.first { words.has("\($0)") })]
        default: return nil
        }
    }

    private static func arrivals(_ words: Words) -> [Event] {
        let tokens = words.value("tokens").flatMap(UInt32.init) ?? 100
        return (0..<(words.value("times").flatMap(Int.init) ?? 1)).map { offset in
            let id = UInt64(words.number(0) + offset)
            return .arrive(
                Arrival(
                    request: RequestID(raw: id),
                    model: ModelID(raw: words.value("model").flatMap(Int.init) ?? 0),
                    tenant: TenantID(raw: words.value("tenant").flatMap(Int.init) ?? 0),
                    classIndex: words.value("class").flatMap(Int.init) ?? 0,
                    promptBytes: tokens * 4, promptTokensExact: tokens,
                    outputTokensMax: words.value("max").flatMap(UInt32.init),
                    cappable: !words.has("tools"), retryable: !words.has("final"),
                    streams: !words.has("whole"), promptHash: id))
        }
    }

    private static func word(_ action: Action) -> String {
        switch action {
        case .dispatch(let id, let dispatch):
            var text = "dispatch \(id.raw) to \(dispatch.endpoint.raw)"
            if dispatch.model.raw != 0 { text += " model \(dispatch.model.raw)" }
            if let cap = dispatch.outputTokensCap { text += " cap \(cap)" }
            if dispatch.ladderStep > 0 { text += " step \(dispatch.ladderStep)" }
            if dispatch.attempt > 1 { text += " attempt \(dispatch.attempt)" }
            if dispatch.waited != .none { text += " waited \(dispatch.waited)" }
            return text
        case .hedge(let id, let dispatch): return "hedge \(id.raw) at \(dispatch.endpoint.raw)"
        case .refuse(let id, let refusal):
            let late = refusal.late ? " late" : ""
            return "refuse \(id.raw) \(refusal.reason)\(late) after "
                + self.ms(refusal.retryAfterNanos)
        case .abort(let id): return "abort \(id.raw)"
        case .fail(let id, let failure): return "fail \(id.raw) \(failure)"
        case .probe(let id): return "probe \(id.raw)"
        case .ladderMoved(let model, let classIndex, let step):
            return "ladder of model \(model.raw) class \(classIndex) at \(step)"
        case .healthChanged(let id, let healthy):
            return "endpoint \(id.raw) \(healthy ? "up" : "out")"
        }
    }

    private static func ms(_ nanos: UInt64) -> String {
        "\(Int((Double(nanos) / 1e6).rounded()))ms"
    }
}

/// The words after a command: by place, by `name=value`, or present.
private struct Words {
    private let words: [String]

    init(_ words: ArraySlice<String>) {
        self.words = Array(words)
    }

    func number(_ place: Int) -> Int {
        place < self.words.count ? Int(self.words[place]) ?? 0 : 0
    }

    func has(_ word: String) -> Bool { self.words.contains(word) }

    func value(_ name: String) -> String? { self.values(name).first }

    func values(_ name: String) -> [String] {
        self.words.compactMap {
            $0.hasPrefix(name + "=") ? String($0.dropFirst(name.count + 1)) : nil
        }
    }
}
