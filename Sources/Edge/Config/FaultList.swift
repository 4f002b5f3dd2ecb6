/// Collects the faults and warnings of one load.
///
/// Bounded: after `ConfigurationLimits.faultsMax` they are only counted, so that a hostile file
/// cannot make reporting dearer than reading.
package final class FaultList {
    private struct Entry {
        var position: Position
        var message: String
        var suggestion: String?
    }

    private var fileNames: [String] = []
    private var entries: [Entry] = []
    private var warningEntries: [Entry] = []
    private var uncounted = 0

    /// Whether anything at all is wrong.
    package var isEmpty: Bool { self.entries.isEmpty }

    /// How many faults there are, counted ones included.
    var count: Int { self.entries.count + self.uncounted }

    /// Registers the next file and gives the index its positions carry.
    func addFile(named name: String) -> Int {
        self.fileNames.append(name)
        return self.fileNames.count - 1
    }

    /// Reports a fault. Message and suggestion are only made when there is room for it.
    package func add(
        _ position: Position, _ message: @autoclosure () -> String,
        suggestion: @autoclosure () -> String? = nil
    ) {
        guard self.entries.count < ConfigurationLimits.faultsMax else {
            self.uncounted += 1
            return
        }
        self.entries.append(
            Entry(position: position, message: message(), suggestion: suggestion()))
    }

    /// Reports something legal that is probably not meant.
    func warn(_ position: Position, _ message: @autoclosure () -> String) {
        guard self.warningEntries.count < ConfigurationLimits.faultsMax else { return }
        self.warningEntries.append(Entry(position: position, message: message(), suggestion: nil))
    }

    /// The file a position is in, as it was named to the loader.
    package func fileName(of position: Position) -> String {
        self.fileNames[position.file]
    }

    /// `file:line` of a position, for messages that point to a second place.
    package func place(of position: Position) -> String {
        "\(self.fileNames[position.file]):\(position.line)"
    }

    /// All faults in the order of files, lines and columns.
    package func sortedFaults() -> [Fault] {
        var faults = self.sorted(self.entries)
        if self.uncounted > 0, let last = faults.last {
            faults.append(
                Fault(
                    file: last.file, line: last.line, column: last.column,
                    message: "and \(self.uncounted) more faults: fix those above first"))
        }
        return faults
    }

    /// All warnings, in the same order.
    func sortedWarnings() -> [Fault] {
        self.sorted(self.warningEntries)
    }

    private func sorted(_ entries: [Entry]) -> [Fault] {
        let order = entries.indices.sorted {
            (entries[$0].position, $0) < (entries[$1].position, $1)
        }
        return order.map { index in
            let entry = entries[index]
            return Fault(
                file: self.fileNames[entry.position.file], line: entry.position.line,
                column: entry.position.column, message: entry.message,
                suggestion: entry.suggestion)
        }
    }
}
