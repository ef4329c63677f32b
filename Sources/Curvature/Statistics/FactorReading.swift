internal import DenseLinearAlgebra
internal import TensorFiles

/// One of the two Kronecker factors of a module.
package enum KroneckerSide: Sendable, Equatable {
  /// A [inputs, inputs].
  case activation
  /// G [outputs, outputs].
  case gradient

  var covariance: StatisticsQuantity {
    self == .activation ? .activationCovariance : .gradientCovariance
  }

  var eigenvectors: StatisticsQuantity {
    self == .activation ? .activationEigenvectors : .gradientEigenvectors
  }

  func order(in module: ModuleStatistics) -> Int {
    self == .activation ? module.inputs : module.outputs
  }
}

/// What is known of a factor before it is decomposed.
struct FactorSummary: Sendable {
  let order: Int
  /// tr/order, the mean eigenvalue.
  let mean: Double
  /// ‖·‖_F, no smaller than the largest eigenvalue.
  let norm: Double
  /// ‖·‖₁ of a dense one.
  var oneNorm: Double?
}

/// A factor as read: a mean, symmetric; dense or diagonal.
struct KroneckerFactor<Element: Readable>: ~Copyable {
  enum Form: ~Copyable {
    case dense(Matrix<Element>)
    case diagonal([Double])
  }
  let summary: FactorSummary
  let form: Form
}

extension Statistics {
  /// A or G of a module, divided by its count. Of a dense factor above the limit only the diagonal is
  /// read where the options say so.
  func factor<Element: Readable>(
    _ side: KroneckerSide, of module: ModuleStatistics, under options: GainOptions,
    as type: Element.Type
  ) throws(CurvatureError) -> KroneckerFactor<Element> {
    let order = side.order(in: module)
    if module.isDiagonal(side.covariance) || options.readsDiagonalAlone(of: side.covariance, module)
    {
      let diagonal = try diagonalFactor(side, of: module, order: order)
      return KroneckerFactor(
        summary: FactorSummary(
          order: order, mean: diagonal.reduce(0, +) / Double(order),
          norm: diagonal.reduce(0) { $0 + $1 * $1 }.squareRoot()),
        form: .diagonal(diagonal))
    }
    guard order <= GainOptions.largestFactor else {
      throw .statistics(
        "\(place(of: side.covariance, in: module)): a dense factor of order \(order), the limit is "
          + "\(GainOptions.largestFactor); use --large-modules diagonal or skip, or collect its "
          + "diagonal")
    }
    let matrix = try symmetricMatrix(
      side.covariance, of: module, order: order, as: type)
    let norms = matrix.symmetricNorms()
    return KroneckerFactor(
      summary: FactorSummary(
        order: order, mean: matrix.trace / Double(order),
        norm: norms.sumOfSquares.squareRoot(), oneNorm: norms.one),
      form: .dense(matrix))
  }

  /// The diagonal of A or G, divided by its count; of a dense factor without reading the rest.
  func diagonalFactor(
    _ side: KroneckerSide, of module: ModuleStatistics, order: Int
  ) throws(CurvatureError) -> [Double] {
    let key = try requiredKey(side.covariance, of: module)
    var diagonal: [Double]
    if module.isDiagonal(side.covariance) {
      diagonal = try matrix(key, rows: 1, columns: order, as: Double.self).elements()
    } else {
      do { diagonal = try tensors.readFiniteDiagonal(key) } catch { throw .file(error) }
    }
    if let index = diagonal.firstIndex(where: { $0 < 0 }) {
      throw negativeDiagonal(key, index, diagonal[index])
    }
    let divisor = module.divisor(of: side.covariance)
    for index in diagonal.indices where divisor != 1 { diagonal[index] /= divisor }
    return diagonal
  }

  /// A symmetric quantity [order, order], symmetrised and divided by its count.
  ///
  /// Refuses a matrix that is not symmetric beyond the rounding of its stored type, and a second
  /// moment with a negative diagonal element. (A Hessian may have one; damping decides there.)
  func symmetricMatrix<Element: Readable>(
    _ quantity: StatisticsQuantity, of module: ModuleStatistics, order: Int, as type: Element.Type
  ) throws(CurvatureError) -> Matrix<Element> {
    let key = try requiredKey(quantity, of: module)
    var matrix = try matrix(key, rows: order, columns: order, as: type)
    if !matrix.isSymmetricBitByBit {
      let asymmetry = matrix.symmetrize()
      let limit = (tensors[key]?.elementType.symmetryTolerance ?? 0) * asymmetry.largestMagnitude
      guard asymmetry.largestAsymmetry <= limit else {
        throw .value(
          "\(place(of: key)): not symmetric, element pairs differ by up to "
            + "\(asymmetry.largestAsymmetry), the limit for its type is \(limit); it must be a second "
            + "moment such as XᵀX, check how it was collected")
      }
    }
    for index in 0..<order where quantity != .hessian && matrix[index, index] < 0 {
      throw negativeDiagonal(key, index, Double(matrix[index, index]))
    }
    let divisor = module.divisor(of: quantity)
    if divisor != 1 { matrix.scale(by: Element(1 / divisor)) }
    return matrix
  }

  private func negativeDiagonal(_ key: String, _ index: Int, _ value: Double) -> CurvatureError {
    .value(
      "\(place(of: key)): diagonal element [\(index), \(index)] is \(value), but a second moment is "
        + "never negative; check how it was collected")
  }
}

extension ElementType {
  /// How far a symmetric product may be from symmetric after rounding to the type, relative to its
  /// largest element: 2⁶ roundings for wide types, two for 16-bit ones.
  fileprivate var symmetryTolerance: Double {
    switch self {
    case .float64: 0x1p-46
    case .float32: 0x1p-17
    case .float16: 0x1p-9
    default: 0x1p-6
    }
  }
}
