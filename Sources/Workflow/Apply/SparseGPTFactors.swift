internal import Checkpoints
internal import Curvature
internal import DenseLinearAlgebra
internal import Pruning
internal import TensorFiles

/// sparsegpt's factor of the last input covariance, for the next module that has the same.
struct SparseGPTFactors: ~Copyable {
  private let precision: Precision
  private var key = ""
  private var single: SparseGPT<Float>?
  private var double: SparseGPT<Double>?

  init(precision: Precision) {
    self.precision = precision
  }

  mutating func measure(
    of module: PlannedModule, _ inputs: ApplyInputs
  ) throws(Failure) -> WeightMeasure {
    try load(module, inputs)
    if let measure = single?.measure { return measure }
    return double?.measure ?? .magnitude
  }

  /// Prunes by the module's factor and puts the updated words in place of the old.
  mutating func prune<Word: StoredWord>(
    _ weights: inout StoredWeights<Word>, count: Int, pattern: RemovalPattern?,
    _ module: PlannedModule, _ inputs: ApplyInputs
  ) throws(Failure) {
    try load(module, inputs)
    if single != nil {
      single?.prune(&weights, count: count, pattern: pattern)
    } else {
      double?.prune(&weights, count: count, pattern: pattern)
    }
    guard weights.firstNonFinite == nil else {
      throw Failure(
        .badData,
        "module \"\(module.weight.name)\": an updated weight does not fit into "
          + "\(module.weight.elementType.rawValue); use wanda, or a checkpoint of a wider type")
    }
  }

  /// The factor of the module's inputs, read and factorized unless it is the last one. In double where
  /// single finds it not positive definite.
  private mutating func load(_ module: PlannedModule, _ inputs: ApplyInputs) throws(Failure) {
    guard let statistics = inputs.statistics, let own = module.statistics else {
      preconditionFailure("sparsegpt was started without statistics")
    }
    do throws(CurvatureError) {
      let key = try statistics.activationKey(of: own) + " \(module.weight.inputs)"
      guard key != self.key else { return }
      single = nil
      double = nil
      if precision == .single {
        single = try? Self.factor(statistics, own, module, as: Float.self)
      }
      if single == nil { double = try Self.factor(statistics, own, module, as: Double.self) }
      self.key = key
    } catch {
      throw Failure(error)
    }
  }

  private static func factor<Element: LinearAlgebraElement & DecodedElement>(
    _ statistics: Statistics, _ own: ModuleStatistics, _ module: PlannedModule,
    as type: Element.Type
  ) throws(CurvatureError) -> SparseGPT<Element> {
    let activations = try statistics.activationCovariance(of: own, as: type)
    do {
      return try SparseGPT(activations: activations, inputs: module.weight.inputs)
    } catch {
      throw .value(
        "the .activation_covariance of module \"\(module.weight.name)\" is not positive definite "
          + "after sparsegpt's damping: \(error); collect it in a wider type, or use wanda")
    }
  }
}
