import Budget

extension Field {
    /// Takes a value as it is; duplicate keys are still faults. Depth is bounded by the reader.
    func freeForm() -> FreeForm {
        switch self.node.content {
        case .refused:
            return .null
        case .scalar(let text, isPlain: false):
            return .string(text)
        case .scalar(let text, isPlain: true):
            switch PlainType(text) {
            case .null: return .null
            case .bool(let value): return .bool(value)
            case .integer(let value): return .integer(value)
            case .number(let value): return .number(value)
            case .text: return .string(text)
            }
        case .list:
            return .list((self.items(max: .max) ?? []).map { $0.freeForm() })
        case .map:
            return self.freeFormMap() ?? .null
        }
    }

    /// Takes a map as it is; a fault and `nil` when it is something else.
    func freeFormMap() -> FreeForm? {
        self.entries().map { entries in
            .map(entries.map { FreeForm.Field(key: $0.key, value: $0.freeForm()) })
        }
    }
}
