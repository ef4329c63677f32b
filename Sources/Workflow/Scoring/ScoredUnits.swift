internal import Curvature
internal import PlanFiles

extension ScoresDocument.Unit {
  /// Gains of a block-diagonal curvature add, in the natural order of the modules. So do the Gram
  /// matrices of folds, from which the unit's own error follows: the modules' errors are not
  /// independent, as they come from the same sequences.
  init(named name: String, _ modules: [ModuleGain]) {
    let plain = modules.reduce(0) { $0 + $1.plainGain }
    let grams = modules.compactMap(\.foldGram)
    let gram =
      grams.count == modules.count
      ? grams.dropFirst().reduce(grams.first) { sum, next in sum.flatMap { $0.adding(next) } } : nil
    self.init(
      name: name, modules: modules.map(\.name),
      parameters: modules.reduce(0) { $0 + $1.parameters },
      gain: gram.map { max($0.crossFittedGain, 0) } ?? modules.reduce(0) { $0 + $1.gain },
      gradientNormSquared: modules.reduce(0) { $0 + $1.gradientNormSquared }, quality: nil,
      modulesDetail: modules.map(ScoresDocument.Module.init))
    predictedNoise = modules.reduce(0.0) { sum, module in
      sum.flatMap { total in module.predictedNoise.map { total + $0 } }
    }
    guard !grams.isEmpty else { return }
    gainPlain = plain
    guard let gram else { return }
    gainCrossFitted = gram.crossFittedGain
    standardError = gram.standardError
    gainWithoutFold = gram.gainsWithoutFold
    isDistinguishable = standardError.map { gain >= 2 * $0 }
    noiseShare = plain > 0 ? min(max(1 - gram.crossFittedGain / plain, 0), 1) : nil
  }
}

extension ScoresDocument.Module {
  init(_ module: ModuleGain) {
    let facts = module.facts
    self.init(
      name: module.name, gain: module.gain, gradientNormSquared: module.gradientNormSquared,
      damping: facts.damping, shape: module.shape, precision: module.precision.rawValue)
    pi = facts.pi
    tokensPerSample = facts.tokensPerSample
    conditionNumber = facts.conditionNumber.flatMap { $0.isFinite ? $0 : nil }
    errorEstimate = module.errorEstimate
    gainLowerBound = module.bounds.lower
    gainUpperBound = module.bounds.upper
    clampedEigenvalues = facts.clamped?.count
    clampedRatio = facts.clamped.flatMap { $0.largestRatio.isFinite ? $0.largestRatio : nil }
    samples = module.samples.flatMap { Int(exactly: $0) }
    tokens = module.tokens.flatMap { Int(exactly: $0) }
    effectiveDimension = module.effectiveDimension
    predictedNoise = module.predictedNoise
    guard let gram = module.foldGram else { return }
    gainPlain = module.plainGain
    gainCrossFitted = gram.crossFittedGain
    standardError = gram.standardError
  }
}
