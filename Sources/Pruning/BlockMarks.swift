internal import DenseLinearAlgebra

/// Which weights of a block of columns go, block after block in the same memory.
///
/// ``marks`` are [rows, columns of the block], row by row.
struct BlockMarks<Element: LinearAlgebraElement> {
  private(set) var marks: [Bool]
  private let measure: WeightMeasure
  /// What orders the block's weights, as laid out as the marks are.
  private var keys: [UInt64] = []

  init(rows: Int, columns: Int, measure: WeightMeasure) {
    marks = [Bool](repeating: false, count: rows * columns)
    self.measure = measure
  }

  /// Marks the `count` smallest of the block's weights, ties in the order of rows.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  mutating func markSmallest(
    _ count: Int, of weights: borrowing Matrix<Element>, columns: Range<Int>
  ) {
    if keys.isEmpty { keys = [UInt64](repeating: 0, count: marks.count) }
    let (rows, stride, width) = (weights.rows, weights.columns, columns.count)
    precondition(rows * width == marks.count)
    weights.withSpan { weights in
      for row in 0..<rows {
        for column in 0..<width {
          keys[row * width + column] = measure.key(
            Double(weights[row * stride + columns.lowerBound + column]),
            column: columns.lowerBound + column)
        }
      }
    }
    guard count > 0 else {
      for index in marks.indices { marks[index] = false }
      return
    }
    let cut = SmallestWeights<UInt64>(count, digit: 16) { body in for key in keys { body(key) } }
    // All at the cut, and then those of them that stay.
    for index in keys.indices { marks[index] = keys[index] <= cut.key }
    var ties = cut.ties
    for index in keys.indices where keys[index] == cut.key {
      marks[index] = ties > 0
      ties -= 1
    }
  }

  /// Marks the `count` smallest of each row's weights in some columns, ties to the lower column.
  ///
  /// - Parameter first: the first column of the block.
  mutating func mark(
    _ count: Int, of weights: borrowing Matrix<Element>, columns: Range<Int>, from first: Int
  ) {
    let width = marks.count / max(weights.rows, 1)
    for row in 0..<weights.rows {
      let place = row * width - first
      for column in columns { marks[place + column] = false }
      guard count > 0 else { continue }
      let keys = columns.map { column in
        (key: measure.key(Double(weights[row, column]), column: column), column: column)
      }
      for (_, column) in keys.sorted(by: { ($0.key, $0.column) < ($1.key, $1.column) })
        .prefix(count)
      {
        marks[place + column] = true
      }
    }
  }
}
