/// Finds ladders that lead a request back to a model it came from.
struct LadderCycles {
    private let models: [DeclaredModel]
    private let faults: FaultList
    private let indices: [String: Int]

    private enum Visit {
        case unseen, open, done
    }

    init(_ models: [DeclaredModel], faults: FaultList) {
        self.models = models
        self.faults = faults
        self.indices = Dictionary(
            models.enumerated().map { ($1.name.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Reports each step that closes a cycle, at the step. Depth first with an explicit stack, so
    /// that a chain of any length is only long.
    func report() {
        var visits = [Visit](repeating: .unseen, count: self.models.count)
        for root in self.models.indices where visits[root] == .unseen {
            var path: [(model: Int, nextStep: Int)] = [(root, 0)]
            visits[root] = .open
            while let (model, step) = path.last {
                guard step < self.models[model].ladderModels.count else {
                    visits[model] = .done
                    path.removeLast()
                    continue
                }
                path[path.count - 1].nextStep += 1
                let reference = self.models[model].ladderModels[step]
                guard let target = self.indices[reference.name] else { continue }
                switch visits[target] {
                case .unseen:
                    visits[target] = .open
                    path.append((target, 0))
                case .open:
                    self.report(reference, closing: path.map(\.model))
                case .done:
                    break
                }
            }
        }
    }

    private func report(_ reference: Reference, closing path: [Int]) {
        self.faults.add(reference.position, self.message(reference, closing: path))
    }

    private func message(_ reference: Reference, closing path: [Int]) -> String {
        let names = path.map { self.models[$0].name.name }
        let cycle = names.drop { $0 != reference.name }
        let shown = cycle.count > 6 ? Array(cycle.prefix(5)) + ["..."] : Array(cycle)
        return "the ladder leads back: " + (shown + [reference.name]).joined(separator: " -> ")
    }
}
