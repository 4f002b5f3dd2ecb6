import Config
import Foundation
import ScalingLint
import Testing

/// What the command prints, and what holds for every rule.
@Suite struct ReportTests {
    private static let hpa = """
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata: {name: chat-8b, namespace: serving}
        spec:
          scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat-8b}
          minReplicas: 1
          maxReplicas: 2
          metrics:
            - type: Pods
              pods:
                metric: {name: vllm:num_requests_waiting}
                target: {type: AverageValue, averageValue: "4"}
        """

    @Test func `a report ends in what was assumed and a sum`() throws {
        let found = try report(LintInput(file: Self.hpa))
        #expect(
            found.lines == [
                "f:4:1: cooldown-below-lead-time: HorizontalPodAutoscaler serving/chat-8b: "
                    + "scaleDown.stabilizationWindowSeconds is 300 s (the default): a lull of that "
                    + "length takes replicas that need 480 s to come back; fix: "
                    + "behavior.scaleDown.stabilizationWindowSeconds: 480",
                "note: lead time 480 s, 780 s at worst: GPU nodes ready 180 to 300 s, pods ready "
                    + "300 to 480 s by published starts; --lead-time sets yours",
                "1 finding in 1 object",
            ])
        #expect(found.exitCode == 1)
    }

    @Test func `a given lead time is said as given, and a clean run is said to be one`() throws {
        let found = try report(
            LintInput(
                file: Self.hpa,
                leadTime: LeadTime(whole: LeadTime.Span(typical: 240, slow: 240))))
        #expect(
            found.lines == [
                "note: lead time 240 s, 240 s at worst, as given", "ok: 1 object, no finding",
            ])
        #expect(found.exitCode == 0)
    }

    @Test func `objects on no GPU are counted`() throws {
        let found = try report(
            LintInput(
                file: """
                    apiVersion: apps/v1
                    kind: Deployment
                    metadata: {name: chat-8b, namespace: serving}
                    spec: {template: {spec: {containers: [{name: web}]}}}
                    ---
                    \(Self.hpa)
                    """))
        #expect(
            found.lines.dropFirst() == [
                "note: 2 objects passed over: what they scale or run asks for no GPU",
                "ok: 2 objects, no finding",
            ])
    }

    @Test func `files without a scaling object are sound, and said to hold none`() throws {
        let found = try report(LintInput(file: "apiVersion: v1\nkind: Service\n"))
        #expect(
            found.lines == [
                "note: no object has to do with scaling", "ok: 0 objects, no finding",
            ])
        #expect(found.exitCode == 0)
    }

    @Test func `the report is JSON of one schema`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let found = String(
            decoding: try encoder.encode(try report(LintInput(file: Self.hpa))), as: UTF8.self)
        #expect(
            found.hasPrefix(
                #"{"faults":[],"findings":[{"column":1,"file":"f","fix":"behavior.scaleDown."#))
        #expect(found.contains(#""line":4,"object":"HorizontalPodAutoscaler serving/chat-8b""#))
        #expect(found.contains(#""rule":"cooldown-below-lead-time""#))
        #expect(found.hasSuffix(#""objects":1,"schema":"plimsoll.lint/v1"}"#))
    }

    @Test func `faults leave nothing judged`() throws {
        let found = try report(LintInput(file: Self.hpa + "\n  minReplica: 2"))
        #expect(found.exitCode == 2)
        #expect(found.findings.isEmpty)
        #expect(
            found.lines == [
                "f:13:3: unknown field \"minReplica\" in spec; did you mean \"minReplicas\"?",
                "1 fault",
            ])
    }

    @Test func `files and folders are judged together`() throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "plimsoll-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["1.yaml", "2.yml"] {
            try Data(Self.hpa.utf8).write(to: folder.appending(path: name))
        }
        let found = Lint.run(paths: [folder.path])
        #expect(
            found.findings.map { "\($0.file.suffix(6)): \($0.rule)" } == [
                "1.yaml: cooldown-below-lead-time", "/2.yml: cooldown-below-lead-time",
                "/2.yml: two-autoscalers",
            ])
        #expect(found.findings.last?.reason.contains("1.yaml:5: each undoes") == true)
        #expect(Lint.run(paths: [folder.appending(path: "3.yaml").path]).exitCode == 2)
    }

    @Test func `the page explains every rule, and names no other`() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/lint-scaling.md")
        let page = try String(contentsOf: url, encoding: .utf8)
        let named = page.matches(of: /(?m)^\| `([a-z-]+)` \|/).map { String($0.output.1) }
        #expect(named.sorted() == RuleName.allCases.map(\.rawValue).sorted())
    }
}

/// Doing what a finding says ends it.
@Suite struct FixTests {
    /// One object's finding, and the words that its fix changes.
    struct Change: Sendable, CustomStringConvertible {
        var rule: RuleName
        var before: String
        var after: String

        var description: String { self.rule.rawValue }
    }

    static let hpa = """
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata: {name: chat-8b, namespace: serving}
        spec:
          scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat-8b}
          minReplicas: 1
          maxReplicas: 16
          metrics:
            - type: External
              external:
                metric: {name: vllm_requests_waiting}
                target: {type: Value, value: "4"}
          behavior:
            scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 120}]}
            scaleDown: {stabilizationWindowSeconds: 60}
        """

    static let changes = [
        Change(
            rule: .toleranceSwallowsReplica, before: "scaleUp: {",
            after: "scaleUp: {tolerance: 0, "),
        Change(
            rule: .toleranceSwallowsReplica, before: "scaleDown: {",
            after: "scaleDown: {tolerance: 0, "),
        Change(
            rule: .valueTargetMultiplies, before: "type: Value, value",
            after: "type: AverageValue, averageValue"),
        Change(
            rule: .cooldownBelowLeadTime, before: "stabilizationWindowSeconds: 60",
            after: "stabilizationWindowSeconds: 480"),
        Change(
            rule: .scaleDownInOneStep, before: "scaleDown: {",
            after: "scaleDown: {policies: [{type: Pods, value: 1, periodSeconds: 60}], "),
        Change(
            rule: .scaleUpSlowerThanLeadTime,
            before: "policies: [{type: Pods, value: 1, periodSeconds: 120}]", after: ""),
    ]

    @Test func `fixes taken one after the other leave no finding`() throws {
        var file = Self.hpa
        var left = try rules(file)
        #expect(left.count == 5)
        for change in Self.changes {
            #expect(left.contains(change.rule.rawValue) == true, "\(change)")
            #expect(file.contains(change.before), "\(change)")
            file = file.replacing(change.before, with: change.after)
            left = try rules(file)
        }
        #expect(left == [])
    }
}
