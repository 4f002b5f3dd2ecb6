/// The YAML documents of files and folders, read within `ConfigurationLimits`.
///
/// Whatever cannot be read is a fault; what can be read of the rest is given all the same, so that
/// one load lists everything that is wrong.
package struct DocumentFiles {
    /// What is wrong; readers of the documents add what they find.
    package let faults = FaultList()
    /// Whether some file or document could not be read.
    package private(set) var isPartial = false
    private let emptyFile: String
    private var fileCount = 0

    /// `emptyFile` is the fault of a file that holds no document.
    package init(emptyFile: String) {
        self.emptyFile = emptyFile
    }

    /// The files a path stands for: itself, or a folder's `*.yaml` and `*.yml`, sorted by name.
    package mutating func files(at path: String) -> [String] {
        guard SourceFile.isFolder(path) else { return [path] }
        do {
            let files = try SourceFile.budgets(inFolder: path)
            if files.isEmpty {
                self.refuse(path, "the folder has no .yaml or .yml file")
            }
            return files
        } catch {
            self.refuse(path, error.message)
            return []
        }
    }

    /// Reads a file's documents, those with nothing in them left out.
    package mutating func documents(inFile file: String) -> [Field] {
        self.fileCount += 1
        guard self.fileCount <= ConfigurationLimits.filesMax else {
            if self.fileCount == ConfigurationLimits.filesMax + 1 {
                self.refuse(file, "more than \(ConfigurationLimits.filesMax) files")
            }
            return []
        }
        do {
            let bytes = try SourceFile.read(file, max: ConfigurationLimits.fileBytesMax)
            return self.documents(in: bytes, fileName: file)
        } catch {
            self.refuse(file, error.message)
            return []
        }
    }

    /// Reads the documents of a file's bytes; `fileName` is what faults call it.
    package mutating func documents(in bytes: [UInt8], fileName: String) -> [Field] {
        guard bytes.count <= ConfigurationLimits.fileBytesMax else {
            self.refuse(
                fileName,
                "the file has \(bytes.count) bytes: at most \(ConfigurationLimits.fileBytesMax) "
                    + "are read, split it into several")
            return []
        }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let bytes = bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(3)) : bytes
        let index = self.faults.addFile(named: fileName)
        let source = SourceText(bytes: bytes, fileIndex: index)
        guard source.check(into: self.faults) else {
            self.isPartial = true
            return []
        }
        var reader = YAMLReader(fileIndex: index, faults: self.faults)
        let documents = reader.read(bytes, source).filter { !$0.isNothing }
        if !reader.isWhole {
            self.isPartial = true
        } else if documents.isEmpty {
            self.faults.add(Position(file: index, line: 1, column: 1), self.emptyFile)
        }
        return documents.map { document in
            Field(
                key: "", path: "", keyPosition: document.position, node: document,
                faults: self.faults)
        }
    }

    private mutating func refuse(_ name: String, _ message: String) {
        let index = self.faults.addFile(named: name)
        self.faults.add(Position(file: index, line: 1, column: 1), message)
        self.isPartial = true
    }
}

extension YAMLNode {
    /// A document with no value at all, as between two `---`.
    fileprivate var isNothing: Bool {
        if case .scalar("", isPlain: true) = self.content { return true }
        return false
    }
}
