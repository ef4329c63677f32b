internal import DenseLinearAlgebra

/// A matrix product in single precision, as a measure of what the machine can do.
final class ProductRate {
  private let matrix: Matrix<Float>
  private var last: Float = 0
  let operations: Double

  init(order: Int) {
    var draws = NormalDraws(seed: 7)
    matrix = Matrix(
      rows: order, columns: order, elements: (0..<order * order).map { _ in draws.next() })
    operations = 2 * Double(order) * Double(order) * Double(order)
  }

  func run() { last = product(matrix, matrix)[0, 0] }
}
