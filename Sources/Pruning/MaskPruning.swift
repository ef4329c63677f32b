internal import Checkpoints
internal import TensorFiles

/// Pruning that changes nothing but the weights it removes.
extension StoredWeights {
  /// Removes weights of small measure from every row: `count` in all, rows alike but for the first
  /// `count` mod outputs, which lose one more.
  ///
  /// Ties within a row go to the lower column.
  /// - Complexity: O(weights), six passes over a row.
  public mutating func removeSmallestOfRows(_ count: Int, by measure: WeightMeasure) {
    precondition(count >= 0 && count <= words.count)
    let (each, more) = count.quotientAndRemainder(dividingBy: max(place.outputs, 1))
    var keys = [UInt64](repeating: 0, count: place.inputs)
    for row in 0..<place.outputs {
      let removed = each + (row < more ? 1 : 0)
      guard removed > 0 else { return }
      for column in 0..<place.inputs {
        keys[column] = measure.key(value(row: row, column: column), column: column)
      }
      let cut = SmallestWeights<UInt64>(removed, digit: 11) { body in for key in keys { body(key) }
      }
      var ties = cut.ties
      for column in 0..<place.inputs where keys[column] <= cut.key {
        if keys[column] == cut.key {
          guard ties > 0 else { continue }
          ties -= 1
        }
        if keys[column] > 0 { remove(row: row, column: column) }
      }
    }
  }

  /// Removes N of every M consecutive inputs of each row, those of smallest measure; ties to the lower
  /// column.
  public mutating func remove(_ pattern: RemovalPattern, by measure: WeightMeasure) {
    guard pattern.removed > 0 else { return }
    for row in 0..<place.outputs {
      for first in stride(from: 0, through: place.inputs - pattern.group, by: pattern.group) {
        let keys = (first..<first + pattern.group).map { column in
          (key: measure.key(value(row: row, column: column), column: column), column: column)
        }
        let order = keys.sorted { ($0.key, $0.column) < ($1.key, $1.column) }
        for (key, column) in order.prefix(pattern.removed) where key > 0 {
          remove(row: row, column: column)
        }
      }
    }
  }
}
