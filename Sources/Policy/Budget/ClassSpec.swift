/// One class of a model's requests.
package struct ClassSpec: Sendable, Equatable {
    package var name: String
    /// Higher goes first; unique within a model.
    package var priority: Int
    /// The class's own objectives; a latency not written here takes the model's.
    package var objectives: Objectives?
    /// The class's own hard TTFT deadline. Without `objectives` beside it, its single bound.
    package var deadlineNanos: UInt64?
    /// Longest wait although higher classes have work; never above the class's deadline.
    package var maxWaitNanos: UInt64?
    /// Most requests queued at once.
    package var queueRequestsMax: Int
    /// Most body bytes queued at once.
    package var queueBytesMax: UInt64

    package static let queueRequestsMaxDefault = 2000
    package static let queueBytesMaxDefault: UInt64 = 256 << 20

    /// The class of a model that writes none.
    package static let standard = ClassSpec(name: "standard", priority: 50)

    package init(
        name: String, priority: Int, objectives: Objectives? = nil, deadlineNanos: UInt64? = nil,
        maxWaitNanos: UInt64? = nil, queueRequestsMax: Int = ClassSpec.queueRequestsMaxDefault,
        queueBytesMax: UInt64 = ClassSpec.queueBytesMaxDefault
    ) {
        self.name = name
        self.priority = priority
        self.objectives = objectives
        self.deadlineNanos = deadlineNanos
        self.maxWaitNanos = maxWaitNanos
        self.queueRequestsMax = queueRequestsMax
        self.queueBytesMax = queueBytesMax
    }
}
