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
    walk(&weights, blockColumns: Self.blockColumns, .share(of: count))
  }

  /// Removes N of every M consecutive inputs of each row, chosen when the group's turn comes.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func prune(_ weights: inout Matrix<Element>, pattern: RemovalPattern) {
    let whole = max(1, Self.blockColumns / pattern.group) * pattern.group
    walk(&weights, blockColumns: whole, .groups(pattern))
  }

  private enum Choice {
    /// Of each block its share of so many weights.
    case share(of: Int)
    case groups(RemovalPattern)
  }

  /// Columns within a block that are made up for one by one; further ones get their errors together, by
  /// a product. Groups of a pattern stay whole.
  private func fineColumns(_ choice: Choice) -> Int {
    guard case .groups(let pattern) = choice else { return 16 }
    return max(1, 16 / pattern.group) * pattern.group
  }

  /// The walk over blocks of columns.
  private func walk(_ weights: inout Matrix<Element>, blockColumns: Int, _ choice: Choice) {
    let (outputs, inputs) = (weights.rows, inputs)
    let width = min(blockColumns, inputs)
    var marks = BlockMarks<Element>(rows: outputs, columns: width, measure: measure)
    var errors = Matrix<Element>(rows: outputs, columns: width)
    for first in stride(from: 0, to: inputs, by: blockColumns) {
      let block = first..<min(first + blockColumns, inputs)
      if block.count != errors.columns {
        marks = BlockMarks(rows: outputs, columns: block.count, measure: measure)
        errors = Matrix(rows: outputs, columns: block.count)
      }
      if case .share(let count) = choice {
        marks.markSmallest(share(of: count, block), of: weights, columns: block)
      }
      for start in stride(from: first, to: block.upperBound, by: fineColumns(choice)) {
        // 1. Some columns, one after the other.
        let columns = start..<min(start + fineColumns(choice), block.upperBound)
        remove(columns, of: &weights, choice, &marks, &errors, from: first)
        // 2. What they could not make up for goes to the rest of the block.
        weights.subtractProduct(
          errors, from: start - first, factor, rows: columns,
          columns: columns.upperBound..<block.upperBound)
      }
      // 3. And that of the block to all later columns at once.
      weights.subtractProduct(errors, factor, rows: block, columns: block.upperBound..<inputs)
    }
  }

  /// How many of `count` weights a block of columns loses: cumulative shares, rounded half down, so that all
  /// blocks together lose `count`.
  private func share(of count: Int, _ block: Range<Int>) -> Int {
    func share(_ columns: Int) -> Int { (2 * count * columns + inputs - 1) / (2 * inputs) }
    return share(block.upperBound) - share(block.lowerBound)
  }

  /// Removes marked weights of some columns; those of groups are marked when their turn comes.
  private func remove(
    _ columns: Range<Int>, of weights: inout Matrix<Element>, _ choice: Choice,
    _ marks: inout BlockMarks<Element>, _ errors: inout Matrix<Element>, from first: Int
  ) {
    guard case .groups(let pattern) = choice else {
      weights.removeMarked(
        marks.marks, columns: columns, upTo: columns.upperBound, by: factor, errors: &errors,
        from: first)
      return
    }
    for start in stride(from: columns.lowerBound, to: columns.upperBound, by: pattern.group) {
      let group = start..<min(start + pattern.group, columns.upperBound)
      marks.mark(
        group.count == pattern.group ? pattern.removed : 0, of: weights, columns: group,
        from: first)
      weights.removeMarked(
        marks.marks, columns: group, upTo: columns.upperBound, by: factor, errors: &errors,
        from: first)
    }
  }
}
