import Budget
package import Gateway
import RequestPath

/// Sentences for people, without a locale.
enum Words {
    /// `1,234`.
    static func grouped(_ value: UInt64) -> String {
        let digits = String(value)
        var text = ""
        for (position, digit) in digits.enumerated() {
            if position > 0, (digits.count - position) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// `99.98 %`, rounded down: only all of them are 100.00 %.
    static func percent(_ part: UInt64, of whole: UInt64) -> String {
        guard whole > 0 else { return "-" }
        let hundredths = UInt64(Double(part) / Double(whole) * 10_000)
        let bounded = part < whole ? min(hundredths, 9_999) : hundredths
        let fraction = String(bounded % 100)
        return "\(bounded / 100)." + (fraction.count < 2 ? "0" : "") + fraction + " %"
    }

    /// A written share as `0.1 %`, to the thousandth of a percent.
    static func percent(_ share: Double) -> String {
        let thousandths = Int((share * 100_000).rounded())
        let fraction = String(String(1000 + thousandths % 1000).dropFirst())
        let digits = String(fraction.reversed().drop { $0 == "0" }.reversed())
        return "\(thousandths / 1000)" + (digits.isEmpty ? "" : ".\(digits)") + " %"
    }

    /// `80 ms`, `1.5 s`, `10 min`.
    static func duration(_ nanos: UInt64) -> String {
        if nanos >= 120_000_000_000 { return Self.short(Double(nanos) / 60e9) + " min" }
        if nanos >= 1_000_000_000 { return Self.short(Double(nanos) / 1e9) + " s" }
        return Self.short(Double(nanos) / 1e6) + " ms"
    }

    private static func short(_ value: Double) -> String {
        let tenths = (value * 10).rounded()
        let whole = Int(tenths / 10)
        let rest = Int(tenths) % 10
        return rest == 0 ? "\(whole)" : "\(whole).\(rest)"
    }

    static func latency(_ latency: Latency) -> String {
        switch latency {
        case .timeToFirstToken: "time to first token"
        case .interTokenLatency: "inter-token latency"
        case .endToEnd: "end-to-end time"
        }
    }

    static func step(_ step: DegradeStep) -> String {
        switch step {
        case .cap(let tokens): "answers capped at \(Self.grouped(UInt64(tokens))) tokens"
        case .model(let name): "requests go to model \(name)"
        }
    }
}

extension Outcome {
    /// What became of the request, in a few bounded words.
    package var sentence: String {
        switch self {
        case .completed(let status): status < 400 ? "completed" : "engine said \(status)"
        case .refused(let reason, let late): "refused: \(reason.label)" + (late ? ", late" : "")
        case .rejected(let status): "rejected: \(status)"
        case .failed(let kind): "failed: \(kind.rawValue)"
        case .abandoned: "client left"
        }
    }
}

extension GatewayEvents.Change {
    /// Whether somebody should look.
    package var isWarning: Bool {
        switch self {
        case .started, .reloaded, .draining: false
        case .ladderMoved(_, _, let step): step > 0
        case .healthChanged(_, let healthy): !healthy
        case .reloadRefused: true
        }
    }

    /// What happened, as a sentence with the names of `config`.
    package func sentence(_ config: GatewayConfig) -> String {
        switch self {
        case .started: return "started"
        case .ladderMoved(let model, let classIndex, let step):
            guard model.raw < config.models.count else { return "ladder at step \(step)" }
            let spec = config.models[model.raw].spec
            let name =
                classIndex < spec.classes.count ? spec.classes[classIndex].name : "\(classIndex)"
            guard step > 0 else { return "\(spec.name) / \(name): the ladder is off again" }
            let what =
                step <= spec.overload.degrade.count
                ? ": " + Words.step(spec.overload.degrade[step - 1]) : ""
            return "\(spec.name) / \(name): ladder at step \(step)\(what)"
        case .healthChanged(let endpoint, let healthy):
            guard endpoint.raw < config.endpoints.count else { return "an endpoint changed" }
            let known = config.endpoints[endpoint.raw]
            let model = config.models[known.model.raw].spec.name
            return "\(model): endpoint \(known.engine.url) "
                + (healthy ? "takes work" : "is taken out of rotation")
        case .reloaded(let version): return "configuration \(version) is in force"
        case .reloadRefused(let faults):
            return "the changed configuration is refused, the last good one stays: "
                + (faults.first ?? "no reason given")
                + (faults.count > 1 ? " (and \(faults.count - 1) more)" : "")
        case .draining: return "draining: no new requests are taken"
        }
    }
}
