import Config

/// One setting of an object: what holds, and where it stands.
struct Setting<Value> {
    var value: Value
    /// Where it is written, or the nearest place above where it would be.
    var position: Position
    /// False where the object says nothing and the default holds.
    var isWritten = true

    /// What holds where nothing is written.
    static func unwritten(_ value: Value, at position: Position) -> Setting {
        Setting(value: value, position: position, isWritten: false)
    }
}

extension Setting {
    /// The value as a message says it.
    var text: String {
        self.isWritten ? "\(self.value)" : "\(self.value) (the default)"
    }

    /// The value in seconds as a message says it.
    var secondsText: String {
        self.isWritten ? "\(self.value) s" : "\(self.value) s (the default)"
    }
}

/// What an object is called.
struct ObjectName: Hashable {
    var kind: String
    /// `default` when unwritten; empty for a kind that has none.
    var namespace: String
    var name: String
    var position: Position

    /// `HorizontalPodAutoscaler serving/chat-8b`, `NodePool gpu`.
    var text: String {
        let prefix = self.namespace.isEmpty ? "" : "\(quoted(self.namespace))/"
        return "\(self.kind) \(prefix)\(quoted(self.name))"
    }
}

/// A workload as a scaler names it. Two names of one workload are equal: its API group is left out,
/// since no two groups have a scalable kind of the same name.
struct Target: Hashable {
    var kind: String
    var namespace: String
    var name: String

    /// `Deployment serving/chat-8b`.
    var text: String { "\(quoted(self.kind)) \(quoted(self.namespace))/\(quoted(self.name))" }
}
