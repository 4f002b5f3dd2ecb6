import Testing

/// Words that may not stand in the code, or only in some rooms.
struct WordTests {
    private let checkout = Checkout.current

    /// Files that may hold state the compiler cannot prove safe to share, each with the reason in
    /// a `Safety:` comment right above the declaration.
    private let unchecked: Set<String> = [
        "Sources/Edge/EventLoop/Lock.swift",
        "Sources/Edge/EventLoop/Loop.swift",
        "Sources/Edge/EventLoop/Stream.swift",
        "Sources/Edge/EventLoop/TLSSession.swift",
        "Sources/Edge/Gateway/Gateway.swift",
        "Sources/Edge/Gateway/GatewayCore.swift",
        "Sources/Edge/Gateway/GatewayLoop.swift",
        "Sources/Edge/Replay/Pacer.swift",
        "Sources/Edge/Replay/ReplayLoop.swift",
        "Sources/plimsoll/EngineCommand.swift",
    ]

    @Test("No force, no unfinished work")
    func banned() {
        let words = ["try" + "!", "as" + "!", "fatalError()", "fatalError(\"unimplemented"]
        expectNone(
            findings(in: self.checkout.swift) { _, line in words.contains { line.contains($0) } },
            "Handle the case, or state as a precondition why it cannot be:")
        // An owner and a reason: TODO(name): why.
        let left = ["FIX" + "ME", "XX" + "X", "HA" + "CK"]
        expectNone(
            findings(in: self.checkout.swift, raw: true) { _, line in
                left.contains { line.contains($0) }
                    || line.contains("TO" + "DO") && !line.contains("TO" + "DO(")
            }, "Finish it, or write an owner and a reason:")
    }

    @Test("Only the front door prints")
    func printing() {
        expectNone(
            findings(in: self.checkout.sources) { file, line in
                file.room != "plimsoll"
                    && ["print(", "debugPrint(", "dump("].contains { call(line, $0) }
            }, "Return it, or log it:")
    }

    @Test("Policy and Twin read no clock and no unseeded randomness")
    func determinism() {
        let words = [
            "ContinuousClock", "SuspendingClock", "Date(", "clock_gettime", "gettimeofday",
            "SystemRandomNumberGenerator", ".randomElement()", ".shuffled()", ".shuffle()",
            "arc4random", "getrandom",
        ]
        expectNone(
            findings(in: self.checkout.sources) { file, line in
                guard
                    file.room?.hasPrefix("Policy/") == true || file.room?.hasPrefix("Twin/") == true
                else { return false }
                let unseeded = line.contains(".random(in:") && !line.contains("using:")
                return unseeded || words.contains { line.contains($0) }
            }, "Time and seed are arguments:")
    }

    @Test("No task without a parent outside the front door")
    func tasks() {
        expectNone(
            findings(in: self.checkout.sources) { file, line in
                file.room != "plimsoll"
                    && ["Task {", "Task{", "Task(", "Task.detached"].contains { call(line, $0) }
            }, "Use a task group, or the loop:")
    }

    @Test("What the compiler cannot prove safe is listed here and proved in a comment")
    func uncheckedState() {
        let words = ["@unchecked Sendable", "nonisolated(unsafe)"]
        let wrong = self.checkout.sources.flatMap { file in
            file.code.indices.compactMap { index -> String? in
                guard words.contains(where: { file.code[index].contains($0) }) else { return nil }
                // The comment block that touches the declaration, attributes between them allowed.
                let above = file.lines[..<index].reversed().prefix {
                    let line = $0.trimmingPrefix { $0 == " " }
                    return line.hasPrefix("//") || line.hasPrefix("@")
                }
                let proved = above.contains { $0.contains("Safety:") }
                return proved && self.unchecked.contains(file.path)
                    ? nil
                    : "\(file.path):\(index + 1): \(proved ? "not listed" : "no Safety: comment")"
            }
        }
        expectNone(wrong, "Write the proof, then list the file in this test:")
    }

    @Test("No path of one machine stands in any file")
    func machinePaths() {
        let paths = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/"]
        expectNone(
            findings(in: self.checkout.files, raw: true) { _, line in
                paths.contains { line.contains($0) }
            }, "Use a path relative to the package:")
    }

    /// Whether `line` calls `name` itself, not a longer name or a member of that name.
    private func call(_ line: String, _ name: String) -> Bool {
        line.ranges(of: name).contains { range in
            guard let before = line[..<range.lowerBound].last else { return true }
            return !before.isLetter && !before.isNumber && before != "_" && before != "."
        }
    }
}
