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
    private var files = DocumentFiles(
        emptyFile: "the file is empty: write a Model, a Tenant or a GPUPool")
    private var declarations = Declarations()

    mutating func add(path: String) {
        for file in self.files.files(at: path) {
            self.declare(self.files.documents(inFile: file))
        }
    }

    mutating func add(bytes: [UInt8], fileName: String) {
        self.declare(self.files.documents(in: bytes, fileName: fileName))
    }

    private mutating func declare(_ documents: [Field]) {
        for document in documents {
            DocumentReader.read(document, into: &self.declarations)
        }
    }

    mutating func finish() -> LoadResult {
        let faults = self.files.faults
        if self.files.isPartial {
            self.declarations.isPartial = true
        }
        CrossCheck(self.declarations, faults: faults).run()
        guard faults.isEmpty else {
            return .refused(faults.sortedFaults())
        }
        let configuration = Configuration(
            models: self.declarations.models.compactMap(\.spec),
            tenants: self.declarations.tenants.compactMap(\.spec),
            pools: self.declarations.pools.compactMap(\.spec))
        return .accepted(configuration, warnings: faults.sortedWarnings())
    }
}
