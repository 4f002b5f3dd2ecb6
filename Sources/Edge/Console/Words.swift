import Budget
package import Gateway
import Report
import RequestPath

/// Sentences for people, without a locale.
enum Words {
    /// A written share as `0.1 %`.
    static func percent(_ share: Double) -> String {
        Wording.percent(perMillion: UInt64((share * 1e6).rounded()))
    }

    /// `80 ms`, `1.5 s`, `10 min`.
    static func duration(_ nanos: UInt64) -> String {
        Wording.duration(millis: Double(nanos) / 1e6)
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
        case .cap(let tokens): "answers capped at \(Wording.grouped(UInt64(tokens))) tokens"
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
