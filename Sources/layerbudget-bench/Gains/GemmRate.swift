internal import DenseLinearAlgebra

/// The limit that the arithmetic of gains is held against: C −= A B of square matrices, in place.
///
/// Run in the same rounds as what is compared with it, since the rate falls when the machine is warm,
/// shared, or busy on its other cores.
struct GemmRate<Element: LinearAlgebraElement>: ~Copyable {
  private let a: Matrix<Element>
  private let b: Matrix<Element>
  private var c: Matrix<Element>
  private let order: Int

  /// 2 order³.
  var operations: Double { 2 * Double(order) * Double(order) * Double(order) }

  init(order: Int) {
    var draws = RandomDraws(seed: 1)
    self.order = order
    a = Matrix(rows: order, columns: order) { fill(&$0, &draws) }
    b = Matrix(rows: order, columns: order) { fill(&$0, &draws) }
    c = Matrix(rows: order, columns: order)
  }

  mutating func run() {
    c.subtractProduct(a, b, rows: 0..<order, columns: 0..<order)
  }
}

/// Fills with numbers evenly spread over −½ … ½.
func fill<Element: LinearAlgebraElement>(
  _ span: inout MutableSpan<Element>, _ draws: inout RandomDraws
) {
  for index in span.indices {
    span[index] = Element(Double(draws.next() >> 11) * 0x1p-53 - 0.5)
  }
}
