import EngineModel

/// The bytes a simulated engine sends: vLLM's shapes and names, with words that mean nothing.
enum EngineText {
    static func chunkStart(name: String, model: String, isChat: Bool) -> [UInt8] {
        let object = isChat ? "chat.completion.chunk" : "text_completion"
        return Array(
            ("data: {\"id\":\"\(name)\",\"object\":\"\(object)\",\"created\":1700000000,"
                + "\"model\":\"\(Self.escaped(model))\",\"choices\":[").utf8)
    }

    static func appendRole(_ sequence: SimulatedEngine.Sequence, to bytes: inout [UInt8]) {
        bytes += sequence.chunkStart
        bytes.append(
            contentsOf:
                #"{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"#
                .utf8)
        bytes.append(
            contentsOf:
                "\"finish_reason\":null}]}\n\n"
                .utf8)
    }

    static func appendToken(
        _ sequence: SimulatedEngine.Sequence, isLast: Bool, to bytes: inout [UInt8]
    ) {
        bytes += sequence.chunkStart
        bytes.append(
            contentsOf: (sequence.isChat
                ? #"{"index":0,"delta":{"content":" sea"},"logprobs":null,"finish_reason":"#
                : #"{"index":0,"text":" sea","logprobs":null,"finish_reason":"#).utf8)
        bytes.append(contentsOf: (isLast ? "\"length\"}]}\n\n" : "null}]}\n\n").utf8)
    }

    static func appendUsageChunk(_ sequence: SimulatedEngine.Sequence, to bytes: inout [UInt8]) {
        bytes += sequence.chunkStart
        bytes.append(contentsOf: "],\(Self.usage(sequence))}\n\n".utf8)
    }

    /// The whole answer of a request that is not streamed.
    static func answer(_ sequence: SimulatedEngine.Sequence, model: String) -> [UInt8] {
        let text = String(repeating: " sea", count: sequence.produced)
        let choice =
            sequence.isChat
            ? "\"message\":{\"role\":\"assistant\",\"content\":\"\(text)\"}"
            : "\"text\":\"\(text)\""
        let object = sequence.isChat ? "chat.completion" : "text_completion"
        return Array(
            ("{\"id\":\"\(sequence.name)\",\"object\":\"\(object)\",\"created\":1700000000,"
                + "\"model\":\"\(Self.escaped(model))\",\"choices\":[{\"index\":0,\(choice),"
                + "\"logprobs\":null,\"finish_reason\":\"length\"}],\(Self.usage(sequence))}").utf8)
    }

    private static func usage(_ sequence: SimulatedEngine.Sequence) -> String {
        "\"usage\":{\"prompt_tokens\":\(sequence.promptTokens),\"total_tokens\":"
            + "\(sequence.promptTokens + sequence.produced),"
            + "\"completion_tokens\":\(sequence.produced)}"
    }

    static func error(_ status: Int, _ type: String, _ message: String) -> [UInt8] {
        Array(
            ("{\"error\":{\"message\":\"\(Self.escaped(message))\",\"type\":\"\(type)\","
                + "\"param\":null,\"code\":\(status)}}").utf8)
    }

    static func models(_ names: [String], maxLength: Int) -> [UInt8] {
        let list = names.map {
            "{\"id\":\"\(Self.escaped($0))\",\"object\":\"model\",\"created\":1700000000,"
                + "\"owned_by\":\"plimsoll-engine\",\"max_model_len\":\(maxLength)}"
        }
        return Array("{\"object\":\"list\",\"data\":[\(list.joined(separator: ","))]}".utf8)
    }

    /// The gauges and counters of vLLM's metrics that a gateway reads.
    static func metrics(
        _ gauges: EngineGauges, _ counters: EngineCounters, _ settings: EngineSettings,
        dividedBy lie: Double
    ) -> [UInt8] {
        let labels = "{engine=\"0\",model_name=\"\(Self.escaped(settings.modelNames[0]))\"}"
        var text = ""
        func add(_ name: String, _ type: String, _ help: String, _ value: Double) {
            text += "# HELP vllm:\(name) \(help)\n# TYPE vllm:\(name) \(type)\n"
            text += "vllm:\(name)\(labels) \(value)\n"
        }
        add("num_requests_running", "gauge", "Requests in the batch.", Double(gauges.running) / lie)
        add("num_requests_waiting", "gauge", "Requests that wait.", Double(gauges.waiting) / lie)
        add("kv_cache_usage_perc", "gauge", "Share of KV blocks in use.", gauges.kvUsage)
        add("prompt_tokens_total", "counter", "Prompt tokens.", Double(counters.promptTokens))
        add(
            "generation_tokens_total", "counter", "Output tokens.",
            Double(counters.generationTokens))
        add("num_preemptions_total", "counter", "Preemptions.", Double(counters.preemptions))
        add(
            "prefix_cache_queries_total", "counter", "Tokens asked of the prefix cache.",
            Double(counters.prefixQueries))
        add(
            "prefix_cache_hits_total", "counter", "Tokens found there.", Double(counters.prefixHits)
        )
        return Array(text.utf8)
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\0"..<" ": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
