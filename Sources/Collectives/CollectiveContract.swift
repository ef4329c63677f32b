/// The checks that every implementation makes of its caller.
///
/// They end the process with a text also in release builds, where `precondition` says nothing: under
/// mpirun that text is all a user has.
package enum CollectiveContract {
  package static func violated(by rank: Int, _ explanation: String) -> Never {
    fatalError("rank \(rank): \(explanation)")
  }

  /// Checks that `root` is a rank.
  package static func checkRoot(_ root: Int, rank: Int, size: Int, method: String) {
    guard root >= 0, root < size else {
      violated(by: rank, "\(method): root \(root) is not a rank; there are ranks 0 to \(size - 1)")
    }
  }

  /// Makes the maximum unique to the bit: turns -0.0 into +0.0 and refuses NaN.
  package static func canonicalise(_ values: inout [Double], rank: Int) {
    for index in values.indices {
      let value = values[index]
      if value.isNaN {
        violated(by: rank, "maximum: element \(index) is NaN, which has no place in an order")
      }
      if value == 0 { values[index] = 0 }
    }
  }

  /// The total as one 128-bit integer, if it fits.
  package static func total(_ sum: ExactSum, element: Int, rank: Int) -> Int128 {
    guard let total = sum.total else {
      violated(
        by: rank,
        "sum: the total of element \(element) does not fit 128 bits; the caller's scale is too fine"
      )
    }
    return total
  }
}
