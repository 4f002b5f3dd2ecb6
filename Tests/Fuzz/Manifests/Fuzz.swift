import Config
import ScalingLint

/// Judges scaling objects; whatever is found lies inside the file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    let report = Lint.run(bytes: bytes, fileName: "f")
    precondition(report.faults.isEmpty || report.findings.isEmpty)
    for place in report.faults.map({ ($0.line, $0.column) })
        + report.findings.map({ ($0.line, $0.column) })
    {
        precondition(place.0 <= count + 1 && place.1 <= count + 1)
    }
    return 0
}
