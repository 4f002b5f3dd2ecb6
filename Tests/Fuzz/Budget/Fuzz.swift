import Budget
import Config

/// Reads a budget file; a refusal has a fault, and its place lies inside the file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    switch Configuration.parse(bytes: bytes, fileName: "f") {
    case .accepted: break
    case .refused(let faults):
        precondition(!faults.isEmpty)
        for fault in faults {
            precondition(fault.line <= count + 1 && fault.column <= count + 1)
        }
    }
    return 0
}
