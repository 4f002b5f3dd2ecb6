import Workload

/// Opens the arrivals that settings ask for, and checks them before anything is sent.
enum ArrivalSource {
    /// A fresh stream of the arrivals, from the first one.
    static func open(_ settings: ReplaySettings) throws(ReplayFault) -> ArrivalStream {
        var transform = ArrivalStream.Transform()
        transform.speed = settings.speed
        transform.durationNanos = settings.durationNanos
        transform.tokensMax = settings.tokensMax
        switch settings.trace {
        case .generator(let spec):
            return ArrivalStream(spec: spec, seed: settings.seed, transform: transform)
        case .file(let format, let path):
            let file: TraceFile
            do {
                file = try TraceFile(path: path)
            } catch {
                throw Self.fault(error, path)
            }
            return ArrivalStream(format: format, transform: transform) {
                () throws(TraceFault) in try file.next()
            }
        }
    }

    /// Reads a whole file once: a fault in its last line must not show after an hour of load.
    static func validate(_ settings: ReplaySettings) throws(ReplayFault) {
        guard case .file(_, let path) = settings.trace else { return }
        var whole = settings
        whole.durationNanos = nil
        var stream = try Self.open(whole)
        do {
            while try stream.next() != nil {}
        } catch {
            throw Self.fault(error, path)
        }
    }

    /// A trace's fault with the name of its file: `FILE:LINE: what is wrong`.
    static func fault(_ fault: TraceFault, _ path: String) -> ReplayFault {
        ReplayFault(
            fault.line == 0
                ? "\(path): \(fault.message)" : "\(path):\(fault.line): \(fault.message)")
    }
}
