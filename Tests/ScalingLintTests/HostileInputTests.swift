import Config
import ScalingLint
import Testing

/// Bytes no editor would write, and objects made to be expensive.
@Suite struct HostileInputTests {
    private func faults(_ bytes: [UInt8]) -> [String] {
        Lint.run(bytes: bytes, fileName: "f").faults.map { String($0.text.dropFirst(2)) }
    }

    private func faults(_ text: String) -> [String] {
        self.faults(Array(text.utf8))
    }

    @Test func `bytes that are not UTF-8 are named with their place`() {
        #expect(
            self.faults(Array("kind: ".utf8) + [0xFF])
                == ["1:7: byte 0xFF is not UTF-8: save the file as UTF-8"])
    }

    @Test func `a file above the bound is refused at once`() {
        let large = [UInt8](repeating: UInt8(ascii: "["), count: 10 << 20)
        #expect(self.faults(large).first?.contains("10485760 bytes") == true)
    }

    @Test func `an empty file is a fault`() {
        #expect(
            self.faults("# nothing\n---\n") == ["1:1: the file is empty: write a scaling object"])
    }

    @Test func `a bomb of aliases is refused without following one`() {
        let bomb = """
            a: &a [x, x, x, x, x, x, x, x, x]
            b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
            c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
            """
        #expect(self.faults(bomb).count { $0.contains("aliases") } == 18)
    }

    @Test func `deep nesting stops at the bound`() {
        #expect(
            self.faults(String(repeating: "[", count: 1 << 19))
                == ["1:65: nested deeper than 64 levels"])
    }

    @Test func `policies that take forever are walked a day and no longer`() throws {
        let found = try rules(
            """
            apiVersion: autoscaling/v2
            kind: HorizontalPodAutoscaler
            metadata: {name: large}
            spec:
              scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: large}
              maxReplicas: 2147483647
              metrics:
                - type: Pods
                  pods: {metric: {name: waiting}, target: {type: AverageValue, averageValue: 1}}
              behavior:
                scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 1800}]}
                scaleDown:
                  stabilizationWindowSeconds: 3600
                  policies: [{type: Percent, value: 2147483647, periodSeconds: 1}]
            """)
        #expect(
            found == [
                "tolerance-swallows-replica", "scale-up-slower-than-lead-time",
                "scale-down-in-one-step",
            ])
    }

    @Test func `the smallest tolerance swallows nothing and the largest everything`() throws {
        for (tolerance, count) in [("0.000000000000000001", 0), ("1000", 1), ("1m", 0)] {
            let found = try rules(
                """
                apiVersion: autoscaling/v2
                kind: HorizontalPodAutoscaler
                metadata: {name: small}
                spec:
                  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: small}
                  minReplicas: 1
                  maxReplicas: 4
                  metrics:
                    - type: Pods
                      pods: {metric: {name: waiting}, target: {type: AverageValue, averageValue: 1}}
                  behavior:
                    scaleUp: {tolerance: \(tolerance)}
                    scaleDown:
                      tolerance: \(tolerance)
                      stabilizationWindowSeconds: 600
                      policies: [{type: Pods, value: 1, periodSeconds: 60}]
                """)
            #expect(found.count == count, "\(tolerance)")
        }
    }

    @Test func `a query of brackets alone costs little`() throws {
        let query = String(repeating: "[5m", count: 20_000)
        let found = try rules(
            """
            apiVersion: keda.sh/v1alpha1
            kind: ScaledObject
            metadata: {name: brackets}
            spec:
              scaleTargetRef: {name: brackets}
              minReplicaCount: 1
              maxReplicaCount: 1
              triggers: [{type: prometheus, metadata: {query: "\(query)"}}]
            """)
        #expect(found == [])
    }

    private static let seed = """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledObject
        metadata: {name: chat-8b, annotations: {autoscaling.keda.sh/paused: "1"}}
        spec:
          scaleTargetRef: {name: chat-8b}
          pollingInterval: 60
          maxReplicaCount: 80
          advanced:
            horizontalPodAutoscalerConfig:
              behavior:
                scaleDown: {tolerance: 50m, policies: [{type: Pods, value: 9, periodSeconds: 60}]}
          triggers:
            - {type: prometheus, metricType: Value, metadata: {query: "sum(rate(x_total[1d5m]))"}}
        ---
        apiVersion: serving.knative.dev/v1
        kind: Service
        metadata: {name: chat-8b}
        spec: {template: {metadata: {annotations: {autoscaling.knative.dev/window: 1m30s}}}}
        ---
        apiVersion: karpenter.sh/v1
        kind: NodePool
        metadata: {name: gpu}
        spec:
          template: {spec: {taints: [{key: nvidia.com/gpu}], requirements: [{key: a}]}}
          disruption: {consolidateAfter: 1h30m, budgets: [{nodes: "0", reasons: [Empty]}]}
        """

    @Test(
        "damaged objects are judged or refused with places inside them, and never a crash",
        arguments: 0..<8 as Range<UInt64>)
    func damage(seed: UInt64) {
        var random = SplitMix64(state: seed)
        for round in 0..<200 {
            var bytes = Array(Self.seed.utf8)
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                Self.damage(&bytes, &random)
            }
            let count = bytes.count { $0 == 0x0A || $0 == 0x0D } + 1
            let report = Lint.run(bytes: bytes, fileName: "f")
            let places =
                report.faults.map { ($0.line, $0.column) }
                + report.findings.map { ($0.line, $0.column) }
            let areInside = places.allSatisfy {
                (1...count).contains($0.0) && (1...(bytes.count + 1)).contains($0.1)
            }
            let areSorted = zip(places, places.dropFirst()).allSatisfy { $0 <= $1 }
            if !areInside || !areSorted {
                Issue.record("seed \(seed), round \(round): \(report.lines)")
            }
        }
    }

    private static func damage(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 1..<30, using: &random))
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0x20..<0x7F, using: &random)
        case 1: bytes.removeSubrange(place..<end)
        case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 3: bytes.insert(contentsOf: "99999999999999999999".utf8, at: place)
        default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
        }
    }
}

/// A small generator (SplitMix64, Steele et al. 2014), so that a seed replays a failure.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
