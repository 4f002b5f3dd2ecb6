/// How many requests may still be slower than a class's lower quantile bounds.
///
/// Admission plans to the highest quantile: under lasting overload every admitted request then
/// waits about as long as that allows, and a written p95 or p50 below it would be broken by design.
/// So each lower bound keeps an account. Every admitted request earns the share that may lie above
/// the bound, 0.05 for a p95; one that is predicted to lie above it costs 1. Where the account is
/// empty the bound itself is the plan. Predictions are cautious, so that most of those who are
/// counted above a bound come in below it: the cost is given back when they do, and taken from
/// those who were believed below and were not.
struct QuantileTolerance: Sendable, Equatable {
    private struct Account: Sendable, Equatable {
        var boundNanos: Double
        /// Share of requests that may lie above the bound.
        var share: Double
        var spare: Double
    }

    /// From the lowest bound to the highest.
    private var accounts: [Account]

    /// An account starts with what this many requests earn, and holds at most what
    /// `requestsSaved` earn: an hour of quiet does not pay for a minute of overload.
    private static let requestsAtStart = 40.0
    private static let requestsSaved = 2000.0
    /// Part of what is written that is kept for what no prediction sees.
    private static let kept = 0.25

    init(_ bounds: [QuantileBound]) {
        self.accounts = bounds.sorted { $0.nanos < $1.nanos }.map { bound in
            let share = max(0, 1 - bound.quantile) * (1 - Self.kept)
            return Account(
                boundNanos: Double(bound.nanos), share: share,
                spare: share * Self.requestsAtStart)
        }
    }

    /// The lowest bound that a request predicted at `nanos` may not pass; `nil` when it may.
    func boundBroken(by nanos: Double) -> Double? {
        self.accounts.first { nanos > $0.boundNanos && $0.spare < 1 }?.boundNanos
    }

    /// Accounts for an admitted request predicted at `nanos`.
    mutating func admit(_ nanos: Double) {
        for index in self.accounts.indices {
            let account = self.accounts[index]
            let cost = nanos > account.boundNanos ? 1.0 : 0
            // Below zero only by requests that are admitted whatever they cost, and not far.
            self.accounts[index].spare = min(
                max(account.spare + account.share - cost, -account.share * Self.requestsAtStart),
                account.share * Self.requestsSaved)
        }
    }

    /// Corrects the accounts by what became of a request admitted at `planned`.
    mutating func settle(planned: Double, actual: Double) {
        for index in self.accounts.indices {
            let account = self.accounts[index]
            let correction =
                (planned > account.boundNanos ? 1.0 : 0) - (actual > account.boundNanos ? 1.0 : 0)
            guard correction != 0 else { continue }
            self.accounts[index].spare = min(
                max(account.spare + correction, -account.share * Self.requestsAtStart),
                account.share * Self.requestsSaved)
        }
    }

    /// Takes over the accounts of an older lane where the bounds are the same.
    mutating func carry(_ older: QuantileTolerance) {
        let same = zip(self.accounts, older.accounts).allSatisfy {
            $0.boundNanos == $1.boundNanos && $0.share == $1.share
        }
        if same, self.accounts.count == older.accounts.count { self.accounts = older.accounts }
    }
}
