/// One value being read, with its name, its place and the list its faults go to.
struct Field {
    /// The key, or the number of a list's item.
    let key: String
    /// `spec.budget.window`; a list's items are `spec.aliases[0]`.
    let path: String
    let keyPosition: Position
    let node: YAMLNode
    let faults: FaultList

    /// Where the value starts.
    var position: Position { self.node.position }

    /// Reports a fault of the value.
    func fault(
        _ message: @autoclosure () -> String, suggestion: @autoclosure () -> String? = nil
    ) {
        self.faults.add(self.position, message(), suggestion: suggestion())
    }

    /// The items of a list, at most `max`.
    func items(max: Int) -> [Field]? {
        switch self.node.content {
        case .list(let nodes):
            if nodes.count > max {
                self.fault("\(self.path) has \(nodes.count) items: at most \(max) are allowed")
                return nil
            }
            return nodes.enumerated().map { index, node in
                Field(
                    key: String(index), path: "\(self.path)[\(index)]",
                    keyPosition: node.position, node: node, faults: self.faults)
            }
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
    func entries() -> [Field]? {
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
            entries.append(
                Field(
                    key: key, path: self.path.isEmpty ? key : "\(self.path).\(quoted(key))",
                    keyPosition: keyNode.position, node: nodes[index + 1], faults: self.faults))
        }
        return entries
    }

    /// The text of a scalar, whatever type YAML gives it; a fault when it is no scalar or empty.
    func scalar(_ form: @autoclosure () -> String) -> (text: String, isPlain: Bool)? {
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
