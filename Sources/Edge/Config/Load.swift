package import Budget

/// What came of loading budget files: the whole configuration, or everything that is wrong.
package enum LoadResult: Sendable {
    /// All documents are sound. The warnings are legal and probably not meant.
    case accepted(Configuration, warnings: [Fault])
    /// At least one fault, sorted by file, line and column. Nothing of the files is in force.
    case refused([Fault])
}

extension Configuration {
    /// Loads files and folders (their `*.yaml` and `*.yml`, sorted by name) as one configuration.
    ///
    /// Refused as a whole when anything is wrong, unreadable or missing files included.
    package static func load(paths: [String]) -> LoadResult {
        var loader = Loader()
        for path in paths {
            loader.add(path: path)
        }
        return loader.finish()
    }

    /// Loads one file's bytes; `fileName` is what faults call it.
    package static func parse(bytes: [UInt8], fileName: String) -> LoadResult {
        var loader = Loader()
        loader.add(bytes: bytes, fileName: fileName)
        return loader.finish()
    }
}

/// Gathers the documents of one load.
private struct Loader {
    private let faults = FaultList()
    private var declarations = Declarations()
    private var fileCount = 0

    mutating func add(path: String) {
        guard SourceFile.isFolder(path) else {
            self.add(file: path)
            return
        }
        do {
            let files = try SourceFile.budgets(inFolder: path)
            if files.isEmpty {
                self.refuse(path, "the folder has no .yaml or .yml file")
            }
            for file in files {
                self.add(file: file)
            }
        } catch {
            self.refuse(path, error.message)
        }
    }

    private mutating func add(file: String) {
        self.fileCount += 1
        guard self.fileCount <= ConfigurationLimits.filesMax else {
            if self.fileCount == ConfigurationLimits.filesMax + 1 {
                self.refuse(file, "more than \(ConfigurationLimits.filesMax) files")
            }
            return
        }
        do {
            let bytes = try SourceFile.read(file, max: ConfigurationLimits.fileBytesMax)
            self.add(bytes: bytes, fileName: file)
        } catch {
            self.refuse(file, error.message)
        }
    }

    mutating func add(bytes: [UInt8], fileName: String) {
        guard bytes.count <= ConfigurationLimits.fileBytesMax else {
            self.refuse(
                fileName,
                "the file has \(bytes.count) bytes: at most \(ConfigurationLimits.fileBytesMax) "
                    + "are read, split it into several")
            return
        }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let bytes = bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(3)) : bytes
        let index = self.faults.addFile(named: fileName)
        let source = SourceText(bytes: bytes, fileIndex: index)
        guard source.check(into: self.faults) else {
            self.declarations.isPartial = true
            return
        }
        var reader = YAMLReader(fileIndex: index, faults: self.faults)
        let documents = reader.read(bytes, source)
        if !reader.isWhole {
            self.declarations.isPartial = true
        }
        var isEmpty = reader.isWhole
        for document in documents where !document.isNothing {
            isEmpty = false
            DocumentReader.read(
                Field(
                    key: "", path: "", keyPosition: document.position, node: document,
                    faults: self.faults),
                into: &self.declarations)
        }
        if isEmpty {
            self.faults.add(
                Position(file: index, line: 1, column: 1),
                "the file is empty: write a Model, a Tenant or a GPUPool")
        }
    }

    private mutating func refuse(_ name: String, _ message: String) {
        let index = self.faults.addFile(named: name)
        self.faults.add(Position(file: index, line: 1, column: 1), message)
        self.declarations.isPartial = true
    }

    func finish() -> LoadResult {
        CrossCheck(self.declarations, faults: self.faults).run()
        guard self.faults.isEmpty else {
            return .refused(self.faults.sortedFaults())
        }
        let configuration = Configuration(
            models: self.declarations.models.compactMap(\.spec),
            tenants: self.declarations.tenants.compactMap(\.spec),
            pools: self.declarations.pools.compactMap(\.spec))
        return .accepted(configuration, warnings: self.faults.sortedWarnings())
    }
}

extension YAMLNode {
    /// A document with no value at all, as between two `---`.
    fileprivate var isNothing: Bool {
        if case .scalar("", isPlain: true) = self.content { return true }
        return false
    }
}
