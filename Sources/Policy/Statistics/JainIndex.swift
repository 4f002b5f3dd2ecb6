/// Jain's fairness index of non-negative shares: (sum x)^2 / (n * sum x^2), from 1/n (one has all)
/// to 1 (all have the same). One for no shares and for shares that are all zero.
///
/// Source: Jain, Chiu and Hawe, "A quantitative measure of fairness", 1984.
package func jainIndex(_ shares: [Double]) -> Double {
    var sum = 0.0
    var squares = 0.0
    for share in shares {
        sum += share
        squares += share * share
    }
    guard squares > 0 else { return 1 }
    return sum * sum / (Double(shares.count) * squares)
}
