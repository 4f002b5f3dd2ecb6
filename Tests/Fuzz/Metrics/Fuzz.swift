import Budget
import Engines
import RequestPath
import Wire

/// Reads an engine's metrics text.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let span = UnsafeBufferPointer(start: data, count: count).span
    var reader = PrometheusText()
    while let sample = reader.next(span) {
        precondition(!sample.name.isEmpty && sample.name.end <= count)
        precondition(sample.labels.start <= sample.labels.end && sample.labels.end <= count)
        if let label = PrometheusText.label("model_name", in: span, sample.labels) {
            precondition(label.start <= label.end && label.end <= sample.labels.end)
        }
    }
    for kind in [EngineKind.vllm, .sglang, .trtllm] {
        if let gauges = EngineAdapter(kind).gauges(span) {
            precondition((0...1).contains(gauges.kvCacheShare))
        }
    }
    return 0
}
