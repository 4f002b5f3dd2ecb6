/// Who else moves a workload's replicas, and who gives up on them.
enum OwnerRules {
    /// A pause is for an hour, and stays for days where a file keeps it.
    static func paused(_ scaler: PodScaler, _: Circumstances) -> [Problem] {
        guard let pause = scaler.keda?.pause else { return [] }
        return [
            Problem(
                position: pause.position,
                reason: "\(pause.key) keeps KEDA from adding replicas, whatever the load",
                fix: "remove the annotation")
        ]
    }

    /// Two controllers of one number undo each other (llm-d/llm-d-autoscaling#1044).
    static func twoAutoscalers(_ scaler: PodScaler, _ at: Circumstances) -> [Problem] {
        guard let first = at.manifests.scaler(scaler.target),
            first.targetPosition != scaler.targetPosition
        else { return [] }
        return [
            Problem(
                position: scaler.targetPosition,
                reason: "\(scaler.target.text) is already scaled by \(first.object.text) at "
                    + "\(at.place(first.targetPosition)): each undoes what the other does",
                fix: "keep one, with the metrics of both: the highest of them counts")
        ]
    }

    /// A start that takes longer than a deployment's deadline is reported as failed, and what waits
    /// for it rolls back. StatefulSets have none.
    static func progressDeadline(_ workload: Workload, _ at: Circumstances) -> [Problem] {
        guard let deadline = workload.progressDeadline, deadline.value < at.lead.slow else {
            return []
        }
        return [
            Problem(
                position: deadline.position,
                reason: "progressDeadlineSeconds is \(deadline.secondsText), and a node and its "
                    + "model take \(at.lead.slow) s at worst: a rollout fails that only waits",
                fix: "progressDeadlineSeconds: \(at.lead.slow)")
        ]
    }

    /// Whoever applies the file sets the replicas back to what it says.
    static func replicas(_ workload: Workload, _ at: Circumstances) -> [Problem] {
        guard let replicas = workload.replicas, let scaler = at.manifests.scaler(workload.target)
        else { return [] }
        return [
            Problem(
                position: replicas.position,
                reason: "every apply sets the replicas to \(replicas.value), whatever "
                    + "\(scaler.object.text) at \(at.place(scaler.targetPosition)) has made of "
                    + "them; those it takes need \(at.lead.typical) s to come back",
                fix: "remove spec.replicas")
        ]
    }
}
