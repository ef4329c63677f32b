public import DenseLinearAlgebra

/// Second-order pruning of one matrix: each removed weight's error is carried to the columns after it.
///
/// With H = A + 0.01 · mean(diag A) · I and U the upper triangular factor of Uᵀ U = H⁻¹, removing W_ij
/// costs (W_ij / U_jj)² / 2 and is made up for best by W_i,j+1… −= (W_ij / U_jj) U_j,j+1… .
/// Frantar and Alistarh 2023, arXiv 2301.00774, with exact counts instead of thresholds.
public struct SparseGPT<Element: LinearAlgebraElement>: ~Copyable, Sendable {
  /// U [inputs, inputs].
  private let factor: Matrix<Element>
  /// |W| · scale_j orders the weights: 1/U_jj, and 0 where no input ever was other than 0.
  public let measure: WeightMeasure

  public var inputs: Int { factor.rows }

  /// Columns that are decided together; the authors' choice.
  public static var blockColumns: Int { 128 }
  /// Damping in shares of the mean diagonal of A; the authors' choice.
  public static var damping: Double { 0.01 }

  /// Factorizes in A's storage. A bias that takes part is the last row and column of A: left out here.
  ///
  /// - Throws: what the Cholesky factorization throws.
  /// - Complexity: 2 inputs³/3 flops.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public init(
    activations: consuming Matrix<Element>, inputs: Int
  ) throws(LinearAlgebraError) {
    var curvature = activations.rows == inputs ? activations : activations.leading(inputs)
    var diagonal: [Double] = []
    for index in 0..<inputs { diagonal.append(Double(curvature[index, index])) }
    // The mean before dead inputs get a diagonal of 1: it must not depend on the unit of A.
    let mean = curvature.trace / Double(max(inputs, 1))
    for index in 0..<inputs where diagonal[index] == 0 { curvature[index, index] = 1 }
    curvature.addToDiagonal(Element(Self.damping * mean))
    factor = try curvature.upperFactorOfInverse()
    var scales: [Double] = []
    for index in 0..<inputs {
      scales.append(diagonal[index] == 0 ? 0 : 1 / Double(factor[index, index]))
    }
    measure = diagonal.contains { $0 > 0 } ? WeightMeasure(scales: scales) : .magnitude
  }

  /// Removes exactly `count` weights of W [outputs, inputs]: of each block of 128 columns its share of
  /// the columns, the smallest measures over all rows when the block's turn comes.
  ///
  /// - Complexity: outputs · inputs² flops.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func prune(_ weights: inout Matrix<Element>, count: Int) {
    let inputs = inputs
    prune(&weights, blockColumns: Self.blockColumns) { block, columns in
      // Cumulative shares, rounded half down, so that all blocks together remove `count`.
      func share(_ columns: Int) -> Int { (2 * count * columns + inputs - 1) / (2 * inputs) }
      let removed = share(columns.upperBound) - share(columns.lowerBound)
      return smallest(removed, of: block, columns)
    }
  }

  /// Removes N of every M consecutive inputs of each row, chosen when the group's turn comes.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func prune(_ weights: inout Matrix<Element>, pattern: RemovalPattern) {
    let whole = max(1, Self.blockColumns / pattern.group) * pattern.group
    prune(&weights, blockColumns: whole, pattern: pattern) { _, _ in nil }
  }

  /// Columns within a block that are made up for one by one; further ones get their errors together, by
  /// a product.
  private static var fineColumns: Int { 16 }

  /// The walk over blocks of columns. `choose` marks the weights of a block [outputs, columns] to
  /// remove, row by row; with nil the pattern decides group by group.
  private func prune(
    _ weights: inout Matrix<Element>, blockColumns: Int, pattern: RemovalPattern? = nil,
    choose: (_ block: [Element], _ columns: Range<Int>) -> [Bool]?
  ) {
    let (outputs, inputs) = (weights.rows, inputs)
    // Groups of a pattern stay whole.
    let fine =
      pattern.map { max(1, Self.fineColumns / $0.group) * $0.group } ?? Self.fineColumns
    for first in stride(from: 0, to: inputs, by: blockColumns) {
      let block = first..<min(first + blockColumns, inputs)
      let mask = choose(weights.elements(ofColumns: block), block)
      var errors = Matrix<Element>(rows: outputs, columns: block.count)
      for start in stride(from: block.lowerBound, to: block.upperBound, by: fine) {
        // 1. Some columns as they are now, and U's rows in them; rows do not meet.
        let columns = start..<min(start + fine, block.upperBound)
        var values = weights.elements(ofColumns: columns)
        let corner = factor.elements(ofRows: columns, columns: columns)
        var own = [Element](repeating: 0, count: values.count)
        var chosen = [Bool](repeating: false, count: columns.count)
        for row in 0..<outputs {
          if let mask {
            let place = row * block.count + columns.lowerBound - block.lowerBound
            for column in 0..<columns.count { chosen[column] = mask[place + column] }
          } else {
            for column in 0..<columns.count { chosen[column] = false }
          }
          removeInRow(
            &values, &own, at: row * columns.count, corner: corner, columns: columns, &chosen,
            pattern: pattern)
        }
        weights.setColumns(columns, to: values)
        // 2. What they could not make up for goes to the rest of the block.
        let range = columns.lowerBound - block.lowerBound..<columns.upperBound - block.lowerBound
        errors.setColumns(range, to: own)
        weights.subtractProduct(
          Matrix(rows: outputs, columns: columns.count, elements: own), factor, rows: columns,
          columns: columns.upperBound..<block.upperBound)
      }
      // 3. And that of the block to all later columns at once.
      weights.subtractProduct(errors, factor, rows: block, columns: block.upperBound..<inputs)
    }
  }

  /// One row of some columns: decides, removes, and carries the error to the row's later columns.
  private func removeInRow(
    _ values: inout [Element], _ errors: inout [Element], at place: Int, corner: [Element],
    columns: Range<Int>, _ chosen: inout [Bool], pattern: RemovalPattern?
  ) {
    let width = columns.count
    for column in 0..<width {
      if let pattern, column % pattern.group == 0, column + pattern.group <= width {
        mark(&chosen, pattern, values, at: place, from: column, columns)
      }
      guard chosen[column] else { continue }
      let error = values[place + column] / corner[column * width + column]
      errors[place + column] = error
      values[place + column] = 0
      guard error != 0 else { continue }
      for later in column + 1..<max(width, column + 1) {
        values[place + later] -= error * corner[column * width + later]
      }
    }
  }

  /// Chooses within one group of M: smallest measure, ties to the lower column.
  private func mark(
    _ chosen: inout [Bool], _ pattern: RemovalPattern, _ block: [Element], at place: Int,
    from column: Int, _ columns: Range<Int>
  ) {
    let keys = (column..<column + pattern.group).map { column in
      (
        key: measure.key(Double(block[place + column]), column: columns.lowerBound + column),
        column: column
      )
    }
    for (_, column) in keys.sorted(by: { ($0.key, $0.column) < ($1.key, $1.column) })
      .prefix(pattern.removed)
    {
      chosen[column] = true
    }
  }

  private func smallest(_ count: Int, of block: [Element], _ columns: Range<Int>) -> [Bool] {
    var chosen = [Bool](repeating: false, count: block.count)
    guard count > 0 else { return chosen }
    let width = columns.count
    let keys = block.indices.map { index in
      measure.key(Double(block[index]), column: columns.lowerBound + index % width)
    }
    let cut = SmallestWeights<UInt64>(count, digit: 16) { body in for key in keys { body(key) } }
    var ties = cut.ties
    for index in keys.indices where keys[index] <= cut.key {
      if keys[index] == cut.key {
        guard ties > 0 else { continue }
        ties -= 1
      }
      chosen[index] = true
    }
    return chosen
  }
}
