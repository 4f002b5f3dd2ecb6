/// Linear least squares of the relative error, with coefficients of zero or more: no part of a
/// step's time is negative, whatever noise makes of it.
///
/// Every choice of inputs is solved and the best one taken whose coefficients are all positive,
/// which is the optimum (Lawson and Hanson, "Solving Least Squares Problems", 1974, chapter 23, for
/// as few inputs as here).
enum NonNegativeFit {
    /// What the coefficients should come to, and what they are multiplied with.
    struct Row {
        var inputs: [Double]
        /// Above zero.
        var target: Double
    }

    /// A coefficient for each of `count` inputs, at most eight; nil when no choice of inputs is
    /// determined by the rows.
    static func solve(_ rows: [Row], inputs count: Int) -> [Double]? {
        let weighted = rows.map { row in row.inputs.map { $0 / row.target } }
        var best: (error: Double, coefficients: [Double])?
        for mask in 1..<(1 << count) {
            let chosen = (0..<count).filter { mask & (1 << $0) != 0 }
            guard let solved = solve(weighted, chosen), solved.allSatisfy({ $0 >= 0 }) else {
                continue
            }
            var coefficients = [Double](repeating: 0, count: count)
            for (position, input) in chosen.enumerated() { coefficients[input] = solved[position] }
            let error = weighted.reduce(0) { sum, inputs in
                let miss = zip(inputs, coefficients).reduce(-1) { $0 + $1.0 * $1.1 }
                return sum + miss * miss
            }
            if error < best?.error ?? .infinity { best = (error, coefficients) }
        }
        return best?.coefficients
    }

    /// The coefficients of the chosen inputs whose sums come nearest to one, by the normal
    /// equations.
    private static func solve(_ rows: [[Double]], _ chosen: [Int]) -> [Double]? {
        // Inputs differ by orders of magnitude: each is measured by its greatest value.
        let units = chosen.map { input in rows.reduce(0) { max($0, $1[input]) } }
        guard units.allSatisfy({ $0 > 0 }), rows.count >= chosen.count else { return nil }
        let width = chosen.count
        var table = [[Double]](
            repeating: [Double](repeating: 0, count: width + 1), count: width)
        for row in rows {
            let scaled = zip(chosen, units).map { row[$0] / $1 }
            for line in 0..<width {
                for column in 0..<width { table[line][column] += scaled[line] * scaled[column] }
                table[line][width] += scaled[line]
            }
        }
        return eliminate(&table).map { zip($0, units).map { $0 / $1 } }
    }

    /// Gauss and Jordan with the greatest pivot; nil when the table is singular.
    private static func eliminate(_ table: inout [[Double]]) -> [Double]? {
        let width = table.count
        let least = 1e-12 * table.reduce(0) { row, line in line.reduce(row) { max($0, abs($1)) } }
        for column in 0..<width {
            let pivot = (column..<width).max { abs(table[$0][column]) < abs(table[$1][column]) }
            guard let pivot, abs(table[pivot][column]) > least else { return nil }
            table.swapAt(column, pivot)
            for line in 0..<width where line != column {
                let factor = table[line][column] / table[column][column]
                for place in column...width {
                    table[line][place] -= factor * table[column][place]
                }
            }
        }
        return (0..<width).map { table[$0][width] / table[$0][$0] }
    }
}
