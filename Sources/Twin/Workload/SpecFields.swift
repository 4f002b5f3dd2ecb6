/// The `key=value` fields of one generator specification.
struct SpecFields {
    /// The highest rate, in requests a second.
    private static let rateMax = 1_000_000.0

    private let kind: String
    private var values: [(key: String, value: String)] = []

    init(kind: String, text: String, known: [String]) throws(TraceFault) {
        self.kind = kind
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            if text.isEmpty { break }
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else {
                throw TraceFault(
                    line: 0, message: "\(kind): \"\(part)\" is not of the form field=value")
            }
            let key = String(pair[0])
            guard known.contains(key) else {
                throw TraceFault(
                    line: 0,
                    message: "\(kind) has no field \"\(key)\"; it takes "
                        + known.joined(separator: ", "))
            }
            if value(key) != nil {
                throw TraceFault(line: 0, message: "\(kind): \(key) is there twice")
            }
            values.append((key, String(pair[1])))
        }
    }

    func process() throws(TraceFault) -> ArrivalProcess {
        switch kind {
        case "gamma": return .gamma(rate: try rate("rate"), variation: try variation())
        case "weibull": return .weibull(rate: try rate("rate"), variation: try variation())
        case "onoff":
            return .onOff(
                rate: try rate("rate"), onSeconds: try seconds("on"),
                offSeconds: try seconds("off", orZero: true))
        case "step":
            let (rate, peak) = try ratePair()
            return .step(
                rate: rate, peak: peak, atSeconds: try seconds("at", orZero: true),
                forSeconds: try seconds("for"))
        case "ramp":
            let (rate, peak) = try ratePair()
            return .ramp(rate: rate, peak: peak, overSeconds: try seconds("over"))
        case "diurnal":
            let (rate, peak) = try ratePair()
            return .diurnal(rate: rate, peak: peak, periodSeconds: try seconds("period"))
        default: return .poisson(rate: try rate("rate"))
        }
    }

    /// `512` or `100-900`.
    func lengths(_ key: String, least: Int, default fallback: Int) throws(TraceFault) -> LengthRange
    {
        guard let text = value(key) else { return LengthRange(fallback) }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = ends.compactMap { Self.whole($0) }
        let allowed = least...Arrival.tokensMax
        guard numbers.count == ends.count, (1...2).contains(ends.count),
            let low = numbers.first, let high = numbers.last, low <= high,
            allowed.contains(low), allowed.contains(high)
        else {
            throw bad(
                key, text, "tokens from \(least) to \(Arrival.tokensMax), such as 512 or 100-900")
        }
        return LengthRange(low, high)
    }

    /// `a:3+b:1`; a tenant without a weight weighs one.
    func tenants() throws(TraceFault) -> [TenantShare] {
        guard let text = value("tenants") else { return [] }
        var shares: [TenantShare] = []
        for part in text.split(separator: "+", omittingEmptySubsequences: false) {
            let pair = part.split(separator: ":", omittingEmptySubsequences: false)
            let weight = pair.count == 1 ? 1 : pair.last.flatMap { Self.whole($0) }
            guard let name = pair.first, !name.isEmpty, pair.count <= 2,
                let weight, (1...1_000_000).contains(weight)
            else { throw bad("tenants", text, "names with weights, such as a:3+b:1") }
            shares.append(TenantShare(name: String(name), weight: weight))
        }
        return shares
    }

    private func value(_ key: String) -> String? {
        values.first { $0.key == key }?.value
    }

    private func needed(_ key: String) throws(TraceFault) -> String {
        guard let text = value(key) else {
            throw TraceFault(line: 0, message: "\(kind): the field \(key) is missing")
        }
        return text
    }

    private func rate(_ key: String, orZero: Bool = false) throws(TraceFault) -> Double {
        let text = try needed(key)
        guard let rate = Double(text), rate.isFinite, rate > 0 || (orZero && rate == 0),
            rate <= Self.rateMax
        else {
            throw bad(
                key, text,
                "requests a second, \(orZero ? "from" : "above") 0 to \(Int(Self.rateMax))")
        }
        return rate
    }

    private func ratePair() throws(TraceFault) -> (Double, Double) {
        let low = try rate("rate", orZero: true)
        let high = try rate("to", orZero: true)
        if low == 0, high == 0 {
            throw TraceFault(
                line: 0, message: "\(kind): rate and to are both 0; nothing would come")
        }
        return (low, high)
    }

    private func variation() throws(TraceFault) -> Double {
        let text = try needed("cv")
        guard let variation = Double(text), (0.05...20).contains(variation) else {
            throw bad("cv", text, "a coefficient of variation from 0.05 to 20; 1 is Poisson")
        }
        return variation
    }

    /// A duration of the budget file's form: `[0-9]+(ms|s|m|h|d)`.
    private func seconds(_ key: String, orZero: Bool = false) throws(TraceFault) -> Double {
        let text = try needed(key)
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit: Double? =
            switch text[digits.endIndex...] {
            case "ms": 0.001
            case "s": 1
            case "m": 60
            case "h": 3_600
            case "d": 86_400
            default: nil
            }
        guard let unit, let amount = Self.whole(digits), amount > 0 || orZero,
            Double(amount) * unit <= 366 * 86_400
        else { throw bad(key, text, "a duration such as 500ms, 10s, 5m, 24h, at most a year") }
        return Double(amount) * unit
    }

    private static func whole(_ text: Substring) -> Int? {
        FieldParsing.integer(ArraySlice(text.utf8)).flatMap { Int(exactly: $0) }
    }

    private func bad(_ key: String, _ text: String, _ expected: String) -> TraceFault {
        TraceFault(line: 0, message: "\(kind): \(key) is \"\(text)\"; expected \(expected)")
    }
}
