/// How a scaler moved a fleet.
package struct ScalingOutcome: Sendable, Hashable {
    /// Changes of the target.
    package let changes: UInt64
    /// Changes for more that follow one for fewer, and the other way round, an hour.
    package let turnsPerHour: Double
    /// Seconds in which fewer replicas were ready than the work that came takes.
    package let shortSeconds: Double
    /// Mean seconds from the first lack to enough; nil without one that ended.
    package let secondsToCapacity: Double?
    /// Most replicas at once, those on their way included.
    package let most: Int
    /// Most nodes at once; nil where nodes are not told apart.
    package let nodesMost: Int?
    /// Replicas that were asked for and found no GPU.
    package let refused: UInt64
    package let timeline: ReplicaTimeline

    init(_ account: ReplicaAccount, _ nodes: Nodes?, hours: Double) {
        changes = account.changes
        turnsPerHour = hours > 0 ? Double(account.turns) / hours : 0
        shortSeconds = Double(account.shortNanos) / 1e9
        secondsToCapacity = account.secondsToCapacity
        most = account.most
        nodesMost = nodes?.most
        refused = account.refused
        timeline = account.timeline
    }
}
