import Config

/// A Deployment or StatefulSet, or what else has a pod template.
struct Workload {
    var object: ObjectName
    var usesGPU: Bool
    /// `spec.replicas` where it is written.
    var replicas: Setting<Int>?
    /// Of Deployments only.
    var progressDeadline: Setting<Int>?
    /// Whether Karpenter is told to leave its pods alone.
    var keepsPods: Bool

    var target: Target {
        Target(
            kind: self.object.kind, namespace: self.object.namespace, name: self.object.name)
    }
}

extension Field {
    /// Reads the spec of a Deployment or a StatefulSet: what scaling depends on, and no more.
    func workload(_ object: ObjectName) -> Workload? {
        guard var fields = Fields(self) else { return nil }
        let replicas = fields.present("replicas").flatMap { field in
            field.integer(in: KubernetesRanges.replicas).map {
                Setting(value: $0, position: field.position)
            }
        }
        let deadline = fields.setting("progressDeadlineSeconds", or: 600, at: self.keyPosition) {
            $0.integer(in: 1...2_147_483_647)
        }
        let template = fields.present("template")
        return Workload(
            object: object, usesGPU: template?.peek("spec")?.usesGPU ?? false, replicas: replicas,
            progressDeadline: object.kind == "Deployment" ? deadline : nil,
            keepsPods: template?.peek("metadata")?.keepsPods ?? false)
    }

    /// Whether a pod of this spec asks for an accelerator, by resource or by claim.
    var usesGPU: Bool {
        if self.peek("resourceClaims") != nil { return true }
        return ["containers", "initContainers"].contains { key in
            (self.peek(key)?.peekedItems ?? []).contains { container in
                ["limits", "requests"].contains { part in
                    let resources = container.peek("resources")?.peek(part)?.peekedEntries ?? []
                    return resources.contains { isAccelerator($0.key) }
                }
            }
        }
    }

    /// Whether metadata of a pod or of a Karpenter template carries `do-not-disrupt`.
    var keepsPods: Bool {
        let field = self.peek("annotations")?.peek("karpenter.sh/do-not-disrupt")
        return field?.peekedText == "true"
    }
}

/// Whether a resource's name, a label or a taint speaks of an accelerator.
func isAccelerator(_ name: String) -> Bool {
    let name = name.lowercased()
    let words = [
        "gpu", "nvidia.com/", "accelerator", "google.com/tpu", "gke-tpu", "gaudi", "neuron",
    ]
    return words.contains { name.contains($0) }
}
