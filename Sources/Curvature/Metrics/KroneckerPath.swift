internal import DenseLinearAlgebra

/// Two exact ways to divide by c A ⊗ G + λ I.
///
/// Either both factors are decomposed, or one alone, and the other is reduced to a band and solved with
/// once for every eigenvalue of the first. The choice depends on shapes alone, so it is the same on
/// every rank and beside every neighbour.
package enum KroneckerPath: Sendable, Equatable {
  /// Q_A and Q_G.
  case eigenbases
  /// The eigenbasis of the other side, and a band of this one.
  case band(of: KroneckerSide)

  /// The cheapest for a module of n inputs and m outputs with so many gradients to whiten.
  static func cheapest(for module: ModuleStatistics, gradients: Int) -> KroneckerPath {
    let paths = [KroneckerPath.eigenbases, .band(of: .activation), .band(of: .gradient)]
    return paths.min { $0.work(for: module, gradients) < $1.work(for: module, gradients) }
      ?? .eigenbases
  }

  /// Work in operations at the rate of matrix products; infinite where a path is impossible.
  ///
  /// The weights are measured (docs/performance.md): an eigendecomposition takes 9 n³, half of it at
  /// the speed of memory; the reduction to a band 4/3 n³ at two thirds of the rate of products; a solve
  /// (width² + 4 width) n at a third.
  func work(for module: ModuleStatistics, _ gradients: Int) -> Double {
    let (n, m) = (Double(module.inputs), Double(module.outputs))
    let isDiagonal = (
      activation: module.isDiagonal(.activationCovariance),
      gradient: module.isDiagonal(.gradientCovariance)
    )
    let count = Double(gradients)
    func eigenbasis(_ order: Double, _ other: Double, isDiagonal: Bool) -> Double {
      isDiagonal ? 0 : 9 * order * order * order + count * 2 * order * order * other
    }
    func band(_ order: Double, _ other: Double) -> Double {
      let width = Double(BandReduction.standardWidth)
      return 2 * order * order * order
        + count * (2 * order * order + 3 * order * width * (width + 4)) * other
    }
    switch self {
    case .eigenbases:
      return eigenbasis(n, m, isDiagonal: isDiagonal.activation)
        + eigenbasis(m, n, isDiagonal: isDiagonal.gradient)
    case .band(of: .activation):
      return isDiagonal.activation
        ? .infinity : band(n, m) + eigenbasis(m, n, isDiagonal: isDiagonal.gradient)
    case .band(of: .gradient):
      return isDiagonal.gradient
        ? .infinity : band(m, n) + eigenbasis(n, m, isDiagonal: isDiagonal.activation)
    }
  }
}
