package import Budget
import Config

/// Reads scaling objects and names the settings that cannot hold a latency budget, given how long a
/// replica takes to start.
///
/// A rule speaks only where the objects themselves decide it: what depends on an unseen part of the
/// cluster is passed over.
package enum Lint {
    /// Judges files and folders, all of them together. `configuration` is the budget, `leadTime`
    /// what holds instead of the budget's and the usual one.
    package static func run(
        paths: [String], configuration: Configuration? = nil, leadTime: LeadTime? = nil
    ) -> LintReport {
        var files = DocumentFiles(emptyFile: self.emptyFile)
        var reader = ManifestReader()
        for path in paths {
            for file in files.files(at: path) {
                for root in files.documents(inFile: file) { reader.add(root) }
            }
        }
        return self.judge(
            &reader, files.faults, Expectations(configuration: configuration, fixed: leadTime))
    }

    /// Judges one file's bytes; `fileName` is what the report calls it.
    package static func run(
        bytes: [UInt8], fileName: String, configuration: Configuration? = nil,
        leadTime: LeadTime? = nil
    ) -> LintReport {
        var files = DocumentFiles(emptyFile: self.emptyFile)
        var reader = ManifestReader()
        for root in files.documents(in: bytes, fileName: fileName) { reader.add(root) }
        return self.judge(
            &reader, files.faults, Expectations(configuration: configuration, fixed: leadTime))
    }

    private static let emptyFile = "the file is empty: write a scaling object"

    private static func judge(
        _ reader: inout ManifestReader, _ faults: FaultList, _ expectations: Expectations
    ) -> LintReport {
        let manifests = reader.read()
        guard faults.isEmpty else { return LintReport(faults: faults.sortedFaults()) }
        let judge = Judge(manifests: manifests, expectations: expectations, faults: faults)
        let findings = judge.findings()
        guard manifests.count > 0 else {
            return LintReport(
                objects: 0, findings: [], notes: ["no object has to do with scaling"])
        }
        var notes = [expectations.note]
        if judge.skipped > 0 {
            notes.append(
                "\(counted(judge.skipped, "object")) passed over: what they scale or run asks for "
                    + "no GPU")
        }
        return LintReport(objects: manifests.count, findings: findings, notes: notes)
    }
}

/// Applies the rules to the objects of one run.
private struct Judge {
    let manifests: Manifests
    let expectations: Expectations
    let faults: FaultList

    /// Objects that have to do with no GPU.
    var skipped: Int {
        self.manifests.podScalers.count { !self.isJudged($0) }
            + self.manifests.revisions.count { !self.isJudged($0) }
            + self.manifests.nodePools.count { !self.isJudged($0) }
            + self.manifests.workloads.count { !$0.usesGPU }
    }

    func findings() -> [Finding] {
        var found: [(Position, Finding)] = []
        for scaler in self.manifests.podScalers where self.isJudged(scaler) {
            let at = self.circumstances(scaler.target)
            found += self.apply(Rules.podScalers, to: scaler, named: scaler.object, at)
        }
        for revision in self.manifests.revisions where self.isJudged(revision) {
            let at = self.circumstances(revision.target)
            found += self.apply(Rules.revisions, to: revision, named: revision.object, at)
        }
        for pool in self.manifests.nodePools where self.isJudged(pool) {
            let at = self.circumstances(self.expectations.leadTime(pool), nil)
            found += self.apply(Rules.nodePools, to: pool, named: pool.object, at)
        }
        for workload in self.manifests.workloads where workload.usesGPU {
            let at = self.circumstances(workload.target)
            found += self.apply(Rules.workloads, to: workload, named: workload.object, at)
        }
        // By place; findings of one place stay in the order of the table.
        return found.indices.sorted { (found[$0].0, $0) < (found[$1].0, $1) }.map { found[$0].1 }
    }

    /// A scaler whose workload is in the files and asks for no accelerator is none of ours; one
    /// whose workload is not there was given to be judged.
    private func isJudged(_ scaler: PodScaler) -> Bool {
        self.manifests.workload(scaler.target)?.usesGPU ?? true
    }

    private func isJudged(_ revision: KnativeRevision) -> Bool {
        revision.usesGPU ?? self.manifests.workload(revision.target)?.usesGPU ?? true
    }

    private func isJudged(_ pool: NodePool) -> Bool {
        pool.hasGPUs || self.expectations.pool(pool) != nil
    }

    private func circumstances(_ target: Target) -> Circumstances {
        self.circumstances(
            self.expectations.leadTime(target), self.expectations.model(target))
    }

    private func circumstances(_ lead: LeadTime, _ model: ModelSpec?) -> Circumstances {
        Circumstances(lead: lead, model: model, manifests: self.manifests) { position in
            self.faults.place(of: position)
        }
    }

    private func apply<Object>(
        _ rules: [Rule<Object>], to object: Object, named name: ObjectName, _ at: Circumstances
    ) -> [(Position, Finding)] {
        rules.flatMap { rule in
            rule.find(object, at).map { problem in
                (
                    problem.position,
                    Finding(
                        file: self.faults.fileName(of: problem.position),
                        line: problem.position.line, column: problem.position.column,
                        rule: rule.name.rawValue, object: name.text, reason: problem.reason,
                        fix: problem.fix)
                )
            }
        }
    }
}

/// `1 object`, `2 objects`.
func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
}
