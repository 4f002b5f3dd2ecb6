/// What `--trace` names: a file in one of the formats, or a generator.
///
/// `azure:FILE`, `mooncake:FILE`, `csv:FILE`, or a generator with `key=value` fields separated by
/// commas:
/// - `poisson:rate=5`, `gamma:rate=5,cv=2`, `weibull:rate=5,cv=2`
/// - `onoff:rate=20,on=10s,off=30s`, `step:rate=5,to=50,at=10s,for=2s`
/// - `ramp:rate=5,to=50,over=60s`, `diurnal:rate=5,to=50,period=24h`
///
/// Each takes `in=512` and `out=64` (those are the defaults; `in=100-900` draws evenly) and
/// `tenants=a:3+b:1`.
package enum TraceSpec: Hashable, Sendable {
    /// A trace in a file. The path is as given.
    case file(TraceFormat, path: String)
    /// A drawn workload.
    case generator(GeneratorSpec)

    /// Reads a specification. The fault names the field, what it holds and what was expected.
    package static func parse(_ text: String) throws(TraceFault) -> TraceSpec {
        let kinds =
            "azure:FILE, mooncake:FILE, csv:FILE, or one of poisson, gamma, weibull, onoff, "
            + "step, ramp, diurnal with fields, such as poisson:rate=5,in=512,out=64"
        guard let colon = text.firstIndex(of: ":") else {
            throw TraceFault(line: 0, message: "trace \"\(text)\" is not known; expected \(kinds)")
        }
        let kind = String(text[..<colon])
        let rest = String(text[text.index(after: colon)...])
        if let format = TraceFormat(rawValue: kind) {
            if rest.isEmpty {
                throw TraceFault(line: 0, message: "\(kind): the name of a file is missing")
            }
            return .file(format, path: rest)
        }
        guard let takes = fieldsByKind.first(where: { $0.kind == kind })?.fields else {
            throw TraceFault(
                line: 0, message: "trace kind \"\(kind)\" is not known; expected \(kinds)")
        }
        let fields = try SpecFields(kind: kind, text: rest, known: takes + commonFields)
        let process = try fields.process()
        return .generator(
            GeneratorSpec(
                process: process, input: try fields.lengths("in", least: 1, default: 512),
                output: try fields.lengths("out", least: 0, default: 64),
                tenants: try fields.tenants()))
    }

    private static let commonFields = ["in", "out", "tenants"]
    private static let fieldsByKind: [(kind: String, fields: [String])] = [
        ("poisson", ["rate"]), ("gamma", ["rate", "cv"]), ("weibull", ["rate", "cv"]),
        ("onoff", ["rate", "on", "off"]), ("step", ["rate", "to", "at", "for"]),
        ("ramp", ["rate", "to", "over"]), ("diurnal", ["rate", "to", "period"]),
    ]
}
