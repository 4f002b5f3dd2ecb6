import Glibc
import Report
import Workload
import World

/// `plimsoll simulate --speed-test`: how fast the twin is here, and what memory it takes.
extension SimulateCommand {
    /// Runs of growing length, one core: the figure is the longest run's, and that memory does not
    /// follow length shows between them.
    static func speedTest() throws -> Int32 {
        for requests in [10_000, 100_000, 1_000_000] as [UInt64] {
            let before = ContinuousClock.now
            let outcome: RunOutcome
            do throws(TraceFault) {
                outcome = try SpeedTest.run(requests: requests, auditEvery: Self.auditEvery)
            } catch {
                throw UsageError("\(error)")
            }
            let seconds = (ContinuousClock.now - before) / .seconds(1)
            let perMinute = UInt64(Double(outcome.report.figures.offered) / seconds * 60)
            let millis = (seconds * 1_000).rounded()
            Console.out(
                "\(Wording.grouped(outcome.report.figures.offered)) requests in "
                    + "\(Wording.duration(millis: millis)): "
                    + "\(Wording.grouped(perMinute)) requests a minute on one core; "
                    + "peak memory \(Self.peakMegabytes) MB")
            guard outcome.faults.isEmpty else {
                for fault in outcome.faults { Console.note(fault) }
                return ExitCode.no
            }
        }
        return ExitCode.fine
    }

    /// The most this process has held resident.
    private static var peakMegabytes: Int {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return Int(usage.ru_maxrss) / 1_024
    }
}
