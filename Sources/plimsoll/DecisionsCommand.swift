import Fleet
import Report
import Scalers
import Scaling
import Time

/// `plimsoll decisions`: what a scaler decided and why; made again, and by another scaler.
enum DecisionsCommand: Command {
    static let synopsis = Synopsis(
        name: "decisions", summary: "what a scaler decided and why, replayed or dry-run",
        usage: "FILE [--since TIME] [--all] [--replay] [--what-if scaler=NAME[:N]]",
        words: ["FILE"],
        options: [
            .init(name: "--since", value: "TIME", help: "only the last TIME of the file"),
            .init(name: "--all", help: "decisions that changed nothing too"),
            .init(name: "--replay", help: "make each again; exit 1 where one comes out otherwise"),
            .init(
                name: "--what-if", value: "scaler=NAME[:N]",
                help: "what hpa, kpa, keda or ratio would have done, at N requests a replica (16)"),
            .init(name: "--output", value: "text|json", help: "json: a record a line"),
        ],
        example: "plimsoll decisions scaling.jsonl --since 1h --replay",
        notes: """
            FILE is what plimsoll up --scale --decisions FILE keeps: a header, then a decision a
            line with all it was made of. The terms of a decision add up to its target.
            """)

    static func run(_ arguments: Arguments) throws -> Int32 {
        guard let path = arguments.words.first else {
            throw UsageError("name the file: plimsoll decisions FILE")
        }
        let wantsJSON = try arguments.wantsJSON()
        let sinceUnix = try Self.start(path, arguments)
        var header: DecisionHeader?
        var shown = DecisionTable(isJSON: wantsJSON, showsAll: arguments.has("--all"))
        var replay = DecisionReplay()
        var dryRun: DryRun?
        var reader = try DecisionReader(path: path)
        while let line = try reader.next() {
            switch line {
            case .header(let found):
                header = found
                replay.begin(found)
                if let dryRun { Self.tell(dryRun) }
                shown.begin(found)
                dryRun = try Self.dryRun(arguments, found)
            case .record(let record, let text):
                if arguments.has("--replay") { replay.add(record, text: text) }
                guard header?.unixNanos(record.input.at) ?? 0 >= sinceUnix else { continue }
                dryRun?.add(record.input, record.decision)
                shown.add(record, text, whatIf: dryRun?.replicas)
            }
        }
        if let dryRun { Self.tell(dryRun) }
        if reader.torn > 0 { Console.note("\(reader.torn) lines that were cut off are left out") }
        return arguments.has("--replay") ? Self.tell(replay) : ExitCode.fine
    }

    /// When `--since` begins, in nanoseconds since 1970: counted back from the last decision.
    private static func start(_ path: String, _ arguments: Arguments) throws -> UInt64 {
        guard let nanos = try arguments.duration("--since") else { return 0 }
        var header: DecisionHeader?
        var last: UInt64 = 0
        var reader = try DecisionReader(path: path)
        while let line = try reader.next() {
            switch line {
            case .header(let found): header = found
            case .record(let record, _): last = header?.unixNanos(record.input.at) ?? last
            }
        }
        return last - min(last, nanos)
    }

    private static func dryRun(
        _ arguments: Arguments, _ header: DecisionHeader
    ) throws(UsageError) -> DryRun? {
        guard let text = arguments.text("--what-if") else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let names = BaselineScaler.allCases.map(\.rawValue).joined(separator: ", ")
        guard (1...2).contains(parts.count), parts[0].hasPrefix("scaler="),
            let scaler = BaselineScaler(rawValue: String(parts[0].dropFirst(7)))
        else {
            throw UsageError("--what-if '\(text)' is not scaler= and one of \(names)")
        }
        let perReplica = parts.count == 2 ? Double(parts[1]) : 16
        guard let perReplica, perReplica >= 0.001, perReplica <= 1e6 else {
            throw UsageError("--what-if '\(text)': '\(parts[1])' is no number from 0.001 on")
        }
        let bounds = header.plan.replicasMin...header.plan.replicasMax
        return DryRun(
            scaler: scaler.make(perReplica: perReplica, bounds: bounds),
            replicas: header.replicas)
    }

    private static func tell(_ run: DryRun) {
        func hours(_ nanos: Double) -> String { Wording.fixed(nanos / 3.6e12, 2) }
        func seconds(_ nanos: UInt64) -> String { Wording.fixed(Double(nanos) / 1e9, 0) }
        Console.note(
            "it: \(hours(run.nanos)) replica-hours, \(run.changes) changes, "
                + "\(seconds(run.shortNanos)) s short of the work that came; "
                + "as it was: \(hours(run.nanosKept)) replica-hours, "
                + "\(seconds(run.shortNanosKept)) s short")
    }

    private static func tell(_ replay: DecisionReplay) -> Int32 {
        let same = replay.decisions - replay.differing
        Console.note(
            "\(Wording.grouped(same)) of \(Wording.grouped(replay.decisions)) decisions come out "
                + "the same to the last byte; the terms add up to the target in "
                + "\(Wording.grouped(replay.decisions - replay.unexplained))")
        if let (kept, now) = replay.firstDifference {
            Console.note(
                "the first that differs was: \(kept.sentence)\nand is now: \(now.sentence)")
        }
        return replay.differing + replay.unexplained == 0 ? ExitCode.fine : ExitCode.no
    }
}

/// Decisions as lines.
private struct DecisionTable {
    let isJSON: Bool
    let showsAll: Bool
    private var header: DecisionHeader?

    init(isJSON: Bool, showsAll: Bool) {
        self.isJSON = isJSON
        self.showsAll = showsAll
    }

    mutating func begin(_ header: DecisionHeader) {
        self.header = header
        guard !self.isJSON else { return }
        Console.out(
            "\(Self.printable(header.model)): \(header.plan.replicasMin) to "
                + "\(header.plan.replicasMax) replicas, \(header.replicas) at the start")
    }

    /// A file may say anything: nothing of it steers a terminal.
    private static func printable(_ text: String) -> String {
        String(
            text.unicodeScalars.map {
                $0.properties.generalCategory == .control ? "?" : Character($0)
            })
    }

    func add(_ record: DecisionRecord, _ text: [UInt8], whatIf: Int?) {
        let decision = record.decision
        guard self.showsAll || decision.target != decision.current, let header = self.header
        else { return }
        if self.isJSON { return Console.out(String(decoding: text, as: UTF8.self)) }
        let since = Double(decision.at.nanosSince(Instant(nanos: header.clockNanos))) / 1e9
        let other = whatIf.map { "; it would have \($0)" } ?? ""
        Console.out("\(Wording.fixed(since, 1)) s  \(decision.sentence)\(other)")
    }
}
