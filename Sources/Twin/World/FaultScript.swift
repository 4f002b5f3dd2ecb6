/// Reads fault scripts: a fault a line, `#` begins a comment.
///
///     at TIME [for TIME] endpoint N|all FAULT
///
/// where TIME is such as `500ms`, `30s`, `5m`; endpoints count from 0; without `for` a fault stays;
/// and FAULT is one of `slow 10x`, `stall`, `kill`, `refuse`, `errors 5%`, `scrape-outage` and
/// `lie` with one or more of `running=N`, `waiting=N`, `kv=0.5`.
package enum FaultScript {
    /// The grammar in a line, for help and messages.
    package static let grammar =
        "at TIME [for TIME] endpoint N|all slow 10x | stall | kill | refuse | errors 5% | "
        + "lie kv=0 waiting=0 running=0 | scrape-outage"

    /// Lines that are read, at most.
    private static let linesMax = 10_000

    /// The faults of a script in the order written; throws every problem at once.
    ///
    /// - Parameters:
    ///   - text: the script; CRLF and LF both end a line.
    ///   - endpoints: how many there are: a fault at another one is a problem.
    package static func parse(
        _ text: String, endpoints: Int
    ) throws(ScriptProblems) -> [ScriptedFault] {
        var faults: [ScriptedFault] = []
        var problems: [ScriptProblem] = []
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        for (index, line) in lines.enumerated() {
            guard index < linesMax else {
                problems.append(
                    ScriptProblem(
                        line: index + 1, column: 1,
                        message: "a script has at most \(linesMax) lines"))
                break
            }
            do throws(ScriptProblem) {
                var words = Words(line, line: index + 1)
                if words.isEmpty { continue }
                faults.append(try fault(&words, endpoints: endpoints))
            } catch {
                problems.append(error)
            }
        }
        guard problems.isEmpty else { throw ScriptProblems(problems: problems) }
        return faults
    }

    private static func fault(
        _ words: inout Words, endpoints: Int
    ) throws(ScriptProblem) -> ScriptedFault {
        try words.take("at")
        let start = try words.duration()
        var end: UInt64?
        if words.isNext("for") {
            try words.take("for")
            let (sum, overflow) = start.addingReportingOverflow(try words.duration())
            end = overflow ? nil : sum
        }
        try words.take("endpoint")
        let endpoint = try words.endpoint(below: endpoints)
        let kind = try kind(&words)
        try words.finish()
        return ScriptedFault(kind: kind, endpoint: endpoint, startNanos: start, endNanos: end)
    }

    private static func kind(_ words: inout Words) throws(ScriptProblem) -> ScriptedFault.Kind {
        let names = "slow, stall, kill, refuse, errors, lie, scrape-outage"
        let word = try words.next("what goes wrong: \(names)")
        switch word.text {
        case "slow":
            return .slow(try words.number(suffix: "x", in: 0.001...1_000_000, example: "10x"))
        case "stall": return .stall
        case "kill": return .kill
        case "refuse": return .refuse
        case "errors":
            return .errors(try words.number(suffix: "%", in: 0...100, example: "5%") / 100)
        case "scrape-outage": return .scrapeOutage
        case "lie": return .lie(try lies(&words))
        default:
            throw words.problem(word, "there is no fault '\(word.text)'; there are \(names)")
        }
    }

    private static func lies(_ words: inout Words) throws(ScriptProblem) -> [GaugeLie] {
        var lies: [GaugeLie] = []
        repeat {
            let word = try words.next("what it says: running=N, waiting=N or kv=0.5")
            guard let lie = GaugeLie(word.text) else {
                throw words.problem(
                    word, "'\(word.text)' is no gauge; write running=N, waiting=N or kv=0.5")
            }
            lies.append(lie)
        } while !words.isAtEnd
        return lies
    }
}

extension GaugeLie {
    /// Reads `running=3`, `waiting=0`, `kv=0.5`.
    fileprivate init?(_ text: String) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "running":
            guard let count = UInt32(parts[1]) else { return nil }
            self = .running(count)
        case "waiting":
            guard let count = UInt32(parts[1]) else { return nil }
            self = .waiting(count)
        case "kv":
            guard let share = Double(parts[1]), (0...1).contains(share) else { return nil }
            self = .kvCache(share)
        default: return nil
        }
    }
}
