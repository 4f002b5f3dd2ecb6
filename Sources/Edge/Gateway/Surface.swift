import HTTP
import Wire

/// The OpenAI surfaces the gateway knows, by path.
package enum Surface: Int, Sendable, CaseIterable {
    case chatCompletions
    case completions
    case embeddings
    case responses
    /// Any other `/v1/` path: relayed by the `model` of its body.
    case other

    /// The surface of a POST to `path`; `nil` outside `/v1/`.
    static func of(_ bytes: Span<UInt8>, _ path: ByteRange) -> Surface? {
        switch path.count {
        case 20 where Bytes.equals(bytes, path, "/v1/chat/completions"): return .chatCompletions
        case 15 where Bytes.equals(bytes, path, "/v1/completions"): return .completions
        case 14 where Bytes.equals(bytes, path, "/v1/embeddings"): return .embeddings
        case 13 where Bytes.equals(bytes, path, "/v1/responses"): return .responses
        default:
            guard path.count > 4 else { return nil }
            let prefix = ByteRange(start: path.start, end: path.start + 4)
            return Bytes.equals(bytes, prefix, "/v1/") && Self.isPlain(bytes, path) ? .other : nil
        }
    }

    /// Whether nobody reads another path: no escapes, no empty and no dot segments.
    private static func isPlain(_ bytes: Span<UInt8>, _ path: ByteRange) -> Bool {
        var segmentStart = path.start
        for index in path.start..<path.end {
            switch bytes[index] {
            case 0x25, 0x5C: return false
            case 0x2F:
                if index > path.start, index == segmentStart { return false }
                segmentStart = index + 1
            case 0x2E where index == segmentStart: return false
            default: break
            }
        }
        return true
    }

    /// Label of metrics and records.
    package var label: StaticString {
        switch self {
        case .chatCompletions: "chat_completions"
        case .completions: "completions"
        case .embeddings: "embeddings"
        case .responses: "responses"
        case .other: "other"
        }
    }

    /// Whether the final usage chunk must be asked for with `stream_options`.
    var needsUsageOption: Bool {
        switch self {
        case .chatCompletions, .completions: true
        case .embeddings, .responses, .other: false
        }
    }

    /// The field that limits output tokens when the client wrote none; `nil`: it has no such field.
    var limitField: StaticString? {
        switch self {
        case .chatCompletions: "max_completion_tokens"
        case .completions: "max_tokens"
        case .responses: "max_output_tokens"
        case .embeddings, .other: nil
        }
    }

    /// Whether a second try before the first byte repeats nothing that was stored.
    func isRetryable(stored: Bool) -> Bool {
        switch self {
        case .chatCompletions, .completions, .embeddings: true
        case .responses: !stored
        case .other: false
        }
    }
}
