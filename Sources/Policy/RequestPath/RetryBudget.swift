/// Second tries, as a share of first ones: a total outage is amplified by no more than that share.
struct RetryBudget: Sendable {
    private var balance: Double = Self.reserve
    private static let reserve = 3.0
    private static let balanceMax = 10.0

    /// A first try was dispatched.
    mutating func earn(share: Double) {
        self.balance = min(Self.balanceMax, self.balance + share)
    }

    /// Whether a second try may be made; spends it if so.
    mutating func spend() -> Bool {
        guard self.balance >= 1 else { return false }
        self.balance -= 1
        return true
    }
}
