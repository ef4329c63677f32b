internal import DenseLinearAlgebra

/// Two exact ways to the inner products K of per-sample gradients, and which is the shorter.
///
/// Samples of few tokens, or of large modules, take the token Gram matrix: no gradient is formed.
/// Samples of many tokens of a small module, such as sequences, take their gradients: the token Gram
/// matrix of 64 sequences of 256 tokens has 2.7e8 elements, and K has 4,096. The choice depends on
/// counts and shapes alone, so it is the same on every rank.
struct SampleGram {
  let samples: Int
  let tokens: Int
  let outputs: Int
  let inputs: Int

  /// The most memory that written-out gradients may take.
  static let gradientBytes = 1 << 30

  private var parameters: Double { Double(outputs) * Double(inputs) }
  private var gradientWork: Double {
    (2 * Double(tokens) + Double(samples) * Double(samples)) * parameters
  }
  private var tokenWork: Double {
    Double(tokens) * Double(tokens) * Double(outputs + inputs)
  }

  var writesGradients: Bool {
    8 * Double(samples) * parameters <= Double(Self.gradientBytes) && gradientWork < tokenWork
  }

  /// Floating-point operations of the shorter way.
  var work: Double { writesGradients ? gradientWork : tokenWork }

  /// Bytes beside K itself.
  var workingSet: Int {
    let tile = min(TokenGram.tile, tokens)
    return writesGradients
      ? 8 * samples * outputs * inputs : 16 * tile * (tile + outputs + inputs)
  }

  /// K [N, N], symmetric, in Float64.
  static func matrix(
    of module: ModuleStatistics, _ samples: TokenSamples, in statistics: Statistics
  ) throws(CurvatureError) -> Matrix<Double> {
    let captures = try TokenCaptures(of: module, in: statistics)
    let way = SampleGram(
      samples: samples.count, tokens: samples.tokens, outputs: module.outputs,
      inputs: module.inputs)
    var gram: Matrix<Double>
    if way.writesGradients {
      var gradients = Matrix<Double>(rows: samples.count, columns: module.parameters)
      for sample in 0..<samples.count {
        let rows = samples.offsets[sample]..<samples.offsets[sample + 1]
        let inputs = try captures.extendedInputs(rows)
        gradients.setRow(
          sample, to: product(try captures.outputGradients(rows), transposedA: true, inputs))
      }
      gram = product(gradients, gradients, transposedB: true)
    } else {
      gram = try TokenGram.matrix(of: captures, samples)
    }
    _ = gram.symmetrize()
    return gram
  }
}
