internal import DenseLinearAlgebra

/// Inner products K_ij = gᵢ · gⱼ of per-sample gradients of one linear module, from raw captures.
///
/// The gradient of a token is d xᵀ, so two tokens have the product (x · x′)(d · d′): the token Gram
/// matrix is (XXᵀ) ∘ (DDᵀ), and K sums it over the blocks of samples. No gradient is ever formed. A
/// bias adds 1 to XXᵀ.
enum TokenGram {
  /// Tokens on a side of the tiles in which the token Gram matrix is made and summed.
  static let tile = 1024

  /// K [N, N] in Float64, symmetric up to rounding.
  /// - Complexity: T² (m + n) flops; T/tile readings of the captures; memory N² and some tiles.
  static func matrix(
    of captures: TokenCaptures, _ samples: TokenSamples
  ) throws(CurvatureError) -> Matrix<Double> {
    let sampleOfToken = samples.sampleOfToken
    var gram = Matrix<Double>(rows: samples.count, columns: samples.count)
    for firstRow in stride(from: 0, to: samples.tokens, by: tile) {
      let rows = firstRow..<min(firstRow + tile, samples.tokens)
      let x = try captures.inputs(rows)
      let d = try captures.outputGradients(rows)
      for firstColumn in stride(from: 0, through: firstRow, by: tile) {
        let columns = firstColumn..<min(firstColumn + tile, samples.tokens)
        var products: Matrix<Double>
        let outputProducts: Matrix<Double>
        if columns == rows {
          products = product(x, x, transposedB: true)
          outputProducts = product(d, d, transposedB: true)
        } else {
          products = product(x, try captures.inputs(columns), transposedB: true)
          outputProducts = product(
            d, try captures.outputGradients(columns), transposedB: true)
        }
        add(
          &products, outputProducts, bias: captures.hasBias ? 1 : 0, rows: rows, columns: columns,
          sampleOfToken, to: &gram)
      }
    }
    return gram
  }

  /// Adds (P + bias) ∘ Q of one tile to the samples' products; a tile off the diagonal stands for its
  /// mirror image too.
  private static func add(
    _ products: inout Matrix<Double>, _ outputProducts: borrowing Matrix<Double>, bias: Double,
    rows: Range<Int>, columns: Range<Int>, _ sampleOfToken: [Int], to gram: inout Matrix<Double>
  ) {
    let isDiagonal = rows == columns
    let order = gram.columns
    gram.withMutableSpan { sums in
      products.withSpan { p in
        outputProducts.withSpan { q in
          for row in 0..<rows.count {
            let i = sampleOfToken[rows.lowerBound + row]
            for column in 0..<columns.count {
              let position = row * columns.count + column
              let value = (p[position] + bias) * q[position]
              let j = sampleOfToken[columns.lowerBound + column]
              sums[i * order + j] += value
              if !isDiagonal { sums[j * order + i] += value }
            }
          }
        }
      }
    }
  }
}

/// The rows of a module's raw captures, read in pieces.
struct TokenCaptures {
  private let statistics: Statistics
  private let inputKey: String
  private let outputKey: String
  private let columns: Int
  private let outputs: Int
  /// Whether the gradient has a column for a bias, which the captures leave out.
  let hasBias: Bool

  init(of module: ModuleStatistics, in statistics: Statistics) throws(CurvatureError) {
    self.statistics = statistics
    inputKey = try statistics.requiredKey(.tokenInputs, of: module)
    outputKey = try statistics.requiredKey(.tokenOutputGradients, of: module)
    columns = module.shapes[.tokenInputs]?.last ?? module.inputs
    outputs = module.outputs
    hasBias = columns == module.inputs - 1
  }

  /// X [rows, in].
  func inputs(_ rows: Range<Int>) throws(CurvatureError) -> Matrix<Double> {
    try statistics.matrix(
      inputKey, elements: rows.lowerBound * columns..<rows.upperBound * columns, columns: columns,
      as: Double.self)
  }

  /// X [rows, in(+1)], a column of ones where there is a bias.
  func extendedInputs(_ rows: Range<Int>) throws(CurvatureError) -> Matrix<Double> {
    let plain = try inputs(rows)
    guard hasBias else { return plain }
    var extended = Matrix<Double>(rows: rows.count, columns: columns + 1)
    for row in 0..<rows.count {
      for column in 0..<columns { extended[row, column] = plain[row, column] }
      extended[row, columns] = 1
    }
    return extended
  }

  /// D [rows, out].
  func outputGradients(_ rows: Range<Int>) throws(CurvatureError) -> Matrix<Double> {
    try statistics.matrix(
      outputKey, elements: rows.lowerBound * outputs..<rows.upperBound * outputs, columns: outputs,
      as: Double.self)
  }
}
