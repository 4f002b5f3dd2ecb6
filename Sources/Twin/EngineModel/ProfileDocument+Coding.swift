extension ProfileDocument: Encodable {
    /// Writes the schema's name and every field.
    package func encode(to encoder: any Encoder) throws {
        var top = encoder.container(keyedBy: FieldName.self)
        try top.encode(Self.schema, forKey: "schema")
        try top.encode(name, forKey: "name")
        try top.encode(source, forKey: "source")
        try top.encode(gpus, forKey: "gpus")
        var part = top.nestedContainer(keyedBy: FieldName.self, forKey: "step")
        try part.encode(step.baseMillis, forKey: "base_ms")
        try part.encode(step.prefillOnlyBaseMillis, forKey: "prefill_only_base_ms")
        try part.encode(step.perPrefillTokenMicros, forKey: "per_prefill_token_us")
        try part.encode(step.perSequenceMicros, forKey: "per_sequence_us")
        try part.encode(step.perKVTokenNanos, forKey: "per_kv_token_ns")
        part = top.nestedContainer(keyedBy: FieldName.self, forKey: "limits")
        try part.encode(limits.kvBlocks, forKey: "kv_blocks")
        try part.encode(limits.sequences, forKey: "max_num_seqs")
        try part.encode(limits.batchedTokens, forKey: "max_num_batched_tokens")
        try part.encode(limits.modelTokens, forKey: "max_model_len")
        guard let errors else { return }
        part = top.nestedContainer(keyedBy: FieldName.self, forKey: "held_out_error")
        for (key, error) in [
            ("time_to_first_token" as FieldName, errors.timeToFirstToken), ("step", errors.step),
        ] {
            var figures = part.nestedContainer(keyedBy: FieldName.self, forKey: key)
            try figures.encode(error.points, forKey: "points")
            try figures.encode(error.median, forKey: "median")
            try figures.encode(error.p90, forKey: "p90")
        }
    }
}

extension ProfileDocument: Decodable {
    /// Reads and judges every field; throws a `ProfileFault` that names all problems at once.
    package init(from decoder: any Decoder) throws {
        var top = ProfileReader(try ProfileReader.object(decoder), path: "")
        let schema = top.text("schema", bytesMax: 64)
        if let schema, schema != Self.schema {
            throw ProfileFault(problems: ["schema is \"\(schema)\" and not \"\(Self.schema)\""])
        }
        name = top.text("name", bytesMax: Bounds.nameBytesMax) ?? ""
        if !name.isEmpty, !name.unicodeScalars.allSatisfy(Self.isNamed) {
            top.note("name", "holds other characters than letters, digits, '.', '_' and '-'")
        }
        source = top.text("source", bytesMax: Bounds.sourceBytesMax) ?? ""
        gpus = top.integer("gpus", Bounds.gpus)
        step = Step(&top)
        limits = Limits(&top)
        errors = Errors(&top)
        top.end()
        if top.problems.isEmpty, step.baseMillis + step.perSequenceMicros == 0 {
            top.note("step", "takes no time: base_ms and per_sequence_us are both zero")
        }
        guard top.problems.isEmpty else { throw ProfileFault(problems: top.problems) }
    }
}

extension ProfileDocument.Step {
    fileprivate init(_ top: inout ProfileReader) {
        var part = top.part("step")
        baseMillis = part.decimal("base_ms", ProfileDocument.Bounds.millis)
        prefillOnlyBaseMillis = part.decimal("prefill_only_base_ms", ProfileDocument.Bounds.millis)
        perPrefillTokenMicros = part.decimal("per_prefill_token_us", ProfileDocument.Bounds.micros)
        perSequenceMicros = part.decimal("per_sequence_us", ProfileDocument.Bounds.micros)
        perKVTokenNanos = part.decimal("per_kv_token_ns", ProfileDocument.Bounds.nanos)
        top.take(&part)
    }
}

extension ProfileDocument.Limits {
    fileprivate init(_ top: inout ProfileReader) {
        var part = top.part("limits")
        kvBlocks = part.integer("kv_blocks", ProfileDocument.Bounds.kvBlocks)
        sequences = part.integer("max_num_seqs", ProfileDocument.Bounds.count)
        batchedTokens = part.integer("max_num_batched_tokens", ProfileDocument.Bounds.count)
        modelTokens = part.integer("max_model_len", ProfileDocument.Bounds.modelTokens)
        top.take(&part)
    }
}

extension ProfileDocument.Errors {
    fileprivate init?(_ top: inout ProfileReader) {
        guard top.has("held_out_error") else { return nil }
        var part = top.part("held_out_error")
        timeToFirstToken = HeldOutError(&part, "time_to_first_token")
        step = HeldOutError(&part, "step")
        top.take(&part)
    }
}

extension HeldOutError {
    fileprivate init(_ top: inout ProfileReader, _ name: FieldName) {
        var part = top.part(name)
        self.init(
            points: part.integer("points", ProfileDocument.Bounds.points),
            median: part.decimal("median", ProfileDocument.Bounds.share),
            p90: part.decimal("p90", ProfileDocument.Bounds.share))
        top.take(&part)
    }
}
