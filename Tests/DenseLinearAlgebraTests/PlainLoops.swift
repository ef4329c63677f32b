import DenseLinearAlgebra

/// What the loops of CVectorLoops do, as one would write it first: the same sums in the same order, so that the
/// bits are equal, not only the values.
enum PlainLoops<Element: LinearAlgebraElement> {
  /// Eight running sums, added as ((0+4)+(2+6)) + ((1+5)+(3+7)), then the rest one by one.
  static func dot(_ a: [Element], _ b: [Element]) -> Double {
    var sums = [Double](repeating: 0, count: 8)
    let whole = a.count & ~7
    for index in 0..<whole { sums[index % 8] += Double(a[index]) * Double(b[index]) }
    var sum = total(sums)
    for index in whole..<a.count { sum += Double(a[index]) * Double(b[index]) }
    return sum
  }

  /// The largest Σⱼ |aᵢⱼ| of rows whose length is a multiple of 8.
  static func largestRowSum(_ a: [Element], columns: Int) -> Double {
    stride(from: 0, to: a.count, by: columns).reduce(0.0) { largest, first in
      var sums = [Double](repeating: 0, count: 8)
      for index in 0..<columns { sums[index % 8] += abs(Double(a[first + index])) }
      let size = total(sums)
      return largest >= size || largest.isNaN ? largest : size
    }
  }

  private static func total(_ s: [Double]) -> Double {
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
  }

  /// x := (L Lᵀ)⁻¹ x with U = Lᵀ in the upper triangle, four rows at a time.
  static func solve(_ u: [Element], order: Int, _ x: inout [Element], from first: Int) {
    for top in stride(from: first & ~3, to: order, by: 4) {
      let end = min(top + 4, order)
      for row in top..<end {
        x[row] /= u[row * order + row]
        for column in row + 1..<max(end, row + 1) { x[column] -= x[row] * u[row * order + column] }
      }
      for column in end..<order {
        let t = (0..<4).map { x[top + $0] * u[(top + $0) * order + column] }
        x[column] -= (t[0] + t[1]) + (t[2] + t[3])
      }
    }
    for top in stride(from: (order - 1) & ~3, through: 0, by: -4) {
      let end = min(top + 4, order)
      if end < order {
        for row in top..<end { x[row] -= Element(sum(u, order, row, x, from: end)) }
      }
      for row in stride(from: end - 1, through: top, by: -1) {
        var value = x[row]
        for column in row + 1..<max(end, row + 1) { value -= u[row * order + column] * x[column] }
        x[row] = value / u[row * order + row]
      }
    }
  }

  /// Σ uᵢⱼ xⱼ over j ≥ first: four running sums, added two by two, then the rest.
  private static func sum(
    _ u: [Element], _ order: Int, _ row: Int, _ x: [Element], from first: Int
  ) -> Double {
    var sums = [Double](repeating: 0, count: 4)
    let whole = first + (order - first) & ~3
    for column in first..<whole {
      sums[(column - first) % 4] += Double(u[row * order + column]) * Double(x[column])
    }
    var sum = (sums[0] + sums[2]) + (sums[1] + sums[3])
    for column in whole..<order { sum += Double(u[row * order + column]) * Double(x[column]) }
    return sum
  }

  /// U in the upper triangle with Uᵀ U = A, row by row, times the reciprocal of the pivot; how many pivots are above 0.
  static func factorize(_ a: inout [Element], order: Int) -> Int {
    for row in 0..<order {
      for column in row..<order {
        a[row * order + column] = takeAbove(
          a[row * order + column], row: row, { a[$0 * order + row] }, { a[$0 * order + column] })
      }
      let pivot = a[row * order + row]
      guard pivot > 0 else { return row }
      a[row * order + row] = pivot.squareRoot()
      let reciprocal = 1 / a[row * order + row]
      for column in row + 1..<max(order, row + 1) { a[row * order + column] *= reciprocal }
    }
    return order
  }

  /// X with Uᵀ X = B in the place of B [order, columns], in the same way.
  static func solveFromLeft(_ u: [Element], order: Int, _ b: inout [Element], columns: Int) {
    for row in 0..<order {
      for column in 0..<columns {
        let rest = takeAbove(
          b[row * columns + column], row: row, { u[$0 * order + row] },
          { b[$0 * columns + column] })
        b[row * columns + column] = rest * (1 / u[row * order + row])
      }
    }
  }

  /// Without what the rows above give: sums of 96 of them, then those of its own 96 one by one; no product is rounded.
  private static func takeAbove(
    _ value: Element, row: Int, _ share: (Int) -> Element, _ above: (Int) -> Element
  ) -> Element {
    var value = value
    let own = row / 96 * 96
    for first in stride(from: 0, to: own, by: 96) {
      var sum: Element = 0
      for k in first..<first + 96 { sum.addProduct(share(k), above(k)) }
      value -= sum
    }
    for k in own..<row { value.addProduct(-share(k), above(k)) }
    return value
  }
}
