/// One value being read, with its name, its place and the list its faults go to.
package struct Field {
    /// The key, or the number of a list's item.
    package let key: String
    /// `spec.budget.window`; a list's items are `spec.aliases[0]`.
    package let path: String
    package let keyPosition: Position
    let node: YAMLNode
    package let faults: FaultList

    /// Where the value starts.
    package var position: Position { self.node.position }

    /// Whether nothing is written, or null: what Kubernetes takes for absent.
    package var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = self.node.content,
            case .null = PlainType(text)
        else { return false }
        return true
    }

    /// The value of a map's entry; reports nothing. For a look at what a document is before it is
    /// read.
    package func peek(_ key: String) -> Field? {
        guard case .map(let nodes) = self.node.content else { return nil }
        for index in stride(from: 0, to: nodes.count - 1, by: 2) {
            guard case .scalar(key, _) = nodes[index].content else { continue }
            return self.entry(key, nodes[index].position, nodes[index + 1])
        }
        return nil
    }

    /// The entries of a map whose keys are text, in written order; reports nothing.
    package var peekedEntries: [Field] {
        guard case .map(let nodes) = self.node.content else { return [] }
        return stride(from: 0, to: nodes.count - 1, by: 2).compactMap { index in
            guard case .scalar(let key, _) = nodes[index].content else { return nil }
            return self.entry(key, nodes[index].position, nodes[index + 1])
        }
    }

    /// The items of a list; reports nothing.
    package var peekedItems: [Field] {
        guard case .list(let nodes) = self.node.content else { return [] }
        return nodes.enumerated().map { self.item($0, $1) }
    }

    private func entry(_ key: String, _ position: Position, _ node: YAMLNode) -> Field {
        Field(
            key: key, path: self.path.isEmpty ? key : "\(self.path).\(quoted(key))",
            keyPosition: position, node: node, faults: self.faults)
    }

    private func item(_ index: Int, _ node: YAMLNode) -> Field {
        Field(
            key: String(index), path: "\(self.path)[\(index)]", keyPosition: node.position,
            node: node, faults: self.faults)
    }

    /// The text of a scalar; reports nothing.
    package var peekedText: String? {
        guard case .scalar(let text, _) = self.node.content else { return nil }
        return text
    }

    /// Reports a fault of the value.
    package func fault(
        _ message: @autoclosure () -> String, suggestion: @autoclosure () -> String? = nil
    ) {
        self.faults.add(self.position, message(), suggestion: suggestion())
    }

    /// The items of a list, at most `max`.
    package func items(max: Int) -> [Field]? {
        switch self.node.content {
        case .list(let nodes):
            if nodes.count > max {
                self.fault("\(self.path) has \(nodes.count) items: at most \(max) are allowed")
                return nil
            }
            return nodes.enumerated().map { self.item($0, $1) }
        case .refused:
            return nil
        case .scalar, .map:
            self.fault(
                "\(self.path) must be a list, not \(self.node.kindName)",
                suggestion: self.asOneItem)
            return nil
        }
    }

    /// The entries of a map in written order. Duplicates and keys that are not text are reported
    /// and left out.
    package func entries() -> [Field]? {
        guard case .map(let nodes) = self.node.content else {
            if case .refused = self.node.content { return nil }
            self.fault(
                "\(self.path.isEmpty ? "the document" : self.path) must be a map, "
                    + "not \(self.node.kindName)")
            return nil
        }
        var firstLines: [String: Int] = [:]
        var entries: [Field] = []
        for index in stride(from: 0, to: nodes.count - 1, by: 2) {
            let keyNode = nodes[index]
            guard case .scalar(let key, _) = keyNode.content else {
                if case .refused = keyNode.content { continue }
                self.faults.add(
                    keyNode.position, "a field's name must be plain text, not \(keyNode.kindName)")
                continue
            }
            if let line = firstLines[key] {
                let place = self.path.isEmpty ? "the document" : self.path
                self.faults.add(
                    keyNode.position,
                    "duplicate field \"\(quoted(key))\" in \(place), first on line \(line): "
                        + "remove one")
                continue
            }
            firstLines[key] = keyNode.position.line
            entries.append(self.entry(key, keyNode.position, nodes[index + 1]))
        }
        return entries
    }

    /// The text of a scalar, whatever type YAML gives it; a fault when it is no scalar or empty.
    package func scalar(_ form: @autoclosure () -> String) -> (text: String, isPlain: Bool)? {
        switch self.node.content {
        case .scalar("", isPlain: true):
            self.fault("\(self.path) is empty: write \(form()), or remove it")
            return nil
        case .scalar(let text, let isPlain):
            return (text, isPlain)
        case .list, .map:
            self.fault("\(self.path) must be \(form()), not \(self.node.kindName)")
            return nil
        case .refused:
            return nil
        }
    }

    private var asOneItem: String? {
        guard case .scalar(let text, _) = self.node.content, !text.isEmpty,
            quoted(text) == text
        else { return nil }
        return "[\(text)]"
    }
}
