import CYAML

/// Turns one file into documents by libyaml's events.
///
/// Events and an explicit stack, not the document API: depth, size and aliases are judged as they
/// come, nothing recurses, and an alias is never followed.
struct YAMLReader {
    private struct Frame {
        var isMap: Bool
        var position: Position
        var items: [YAMLNode] = []
    }

    private let fileIndex: Int
    private let faults: FaultList
    private var stack: [Frame] = []
    private var documents: [YAMLNode] = []
    private var nodeCount = 0

    /// Whether every document of the file was read.
    private(set) var isWhole = true

    init(fileIndex: Int, faults: FaultList) {
        self.fileIndex = fileIndex
        self.faults = faults
    }

    /// Reads all documents up to the first break of syntax, which is reported.
    mutating func read(_ bytes: [UInt8], _ source: SourceText) -> [YAMLNode] {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else {
            self.refuse(Position(file: self.fileIndex, line: 1, column: 1), "out of memory")
            return []
        }
        defer { yaml_parser_delete(&parser) }
        bytes.withUnsafeBufferPointer { buffer in
            yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
            yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
            var event = yaml_event_t()
            while self.isWhole {
                guard yaml_parser_parse(&parser, &event) == 1 else {
                    YAMLProblem(parser, fileIndex: self.fileIndex).report(source, to: self.faults)
                    self.isWhole = false
                    return
                }
                let type = event.type
                self.take(event)
                yaml_event_delete(&event)
                if type == YAML_STREAM_END_EVENT {
                    return
                }
            }
        }
        return self.documents
    }

    private mutating func take(_ event: yaml_event_t) {
        let position = Position(event.start_mark, fileIndex: self.fileIndex)
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            if self.documents.count == ConfigurationLimits.documentsMax {
                self.refuse(
                    position, "more than \(ConfigurationLimits.documentsMax) documents in one file")
            }
        case YAML_ALIAS_EVENT:
            self.faults.add(position, "YAML aliases (*) are not accepted: write the value out")
            self.append(YAMLNode(content: .refused, position: position))
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            self.checkProperties(anchor: scalar.anchor, tag: scalar.tag, position)
            let text = String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length),
                as: UTF8.self)
            let content = YAMLNode.Content.scalar(
                text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
            self.append(YAMLNode(content: content, position: position))
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            self.checkProperties(anchor: start.anchor, tag: start.tag, position)
            self.push(Frame(isMap: false, position: position))
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            self.checkProperties(anchor: start.anchor, tag: start.tag, position)
            self.push(Frame(isMap: true, position: position))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            if let frame = self.stack.popLast() {
                self.append(
                    YAMLNode(
                        content: frame.isMap ? .map(frame.items) : .list(frame.items),
                        position: frame.position))
            }
        default:
            break
        }
    }

    private func checkProperties(
        anchor: UnsafeMutablePointer<UInt8>?, tag: UnsafeMutablePointer<UInt8>?,
        _ position: Position
    ) {
        if anchor != nil {
            self.faults.add(position, "YAML anchors (&) are not accepted: remove it")
        }
        if tag != nil {
            self.faults.add(position, "YAML tags (!) are not accepted: remove it")
        }
    }

    private mutating func push(_ frame: Frame) {
        if self.stack.count == ConfigurationLimits.depthMax {
            self.refuse(
                frame.position, "nested deeper than \(ConfigurationLimits.depthMax) levels")
        } else {
            self.stack.append(frame)
        }
    }

    private mutating func append(_ node: YAMLNode) {
        self.nodeCount += 1
        if self.nodeCount > ConfigurationLimits.nodesMax {
            self.refuse(
                node.position, "more than \(ConfigurationLimits.nodesMax) values in one file")
        } else if self.stack.isEmpty {
            self.documents.append(node)
        } else {
            self.stack[self.stack.count - 1].items.append(node)
        }
    }

    private mutating func refuse(_ position: Position, _ message: String) {
        self.faults.add(position, message)
        self.isWhole = false
    }
}

extension Position {
    init(_ mark: yaml_mark_t, fileIndex: Int) {
        self.init(file: fileIndex, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}
