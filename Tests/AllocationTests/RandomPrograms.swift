import Allocation
import TestSupport

extension CapacityUnit {
  /// The same unit but for what is given.
  func with(quality: Double? = nil, lower: Double? = nil, upper: Double? = nil) -> CapacityUnit {
    CapacityUnit(
      index: index, quality: quality ?? self.quality, cost: cost, lower: lower ?? self.lower,
      upper: upper ?? self.upper, alpha: alpha, gammaFactor: gammaFactor)
  }
}

extension SeededGenerator {
  /// Positive, spread over a few orders of magnitude.
  mutating func spread(_ decades: Double) -> Double {
    var value = 1.0
    let exponent = uniform(in: -decades...decades)
    let steps = Int((abs(exponent) * 16).rounded())
    for _ in 0..<steps { value *= exponent < 0 ? 0.8659643233600653 : 1.1547819846894583 }
    return value * uniform(in: 0.9...1.1)
  }

  /// A capacity program whose lower bounds fit its budget; some qualities are zero or tied, and some
  /// programs have units with an α and γ of their own.
  mutating func capacityProgram(units count: Int, equalCosts: Bool) -> (
    CapacityProgram, [CapacityUnit]
  ) {
    var units: [CapacityUnit] = []
    let haveOwn = uniform() < 0.4
    for index in 0..<count {
      let quality = uniform() < 0.1 ? 0 : uniform() < 0.2 ? 1 : spread(1.5)
      let lower = uniform() < 0.3 ? Double(integer(in: 0...2)) : 0
      let upper = uniform() < 0.3 ? lower + Double(integer(in: 0...6)) : .infinity
      units.append(
        CapacityUnit(
          index: index, quality: quality, cost: equalCosts ? 1 : spread(1), lower: lower,
          upper: upper, alpha: haveOwn && uniform() < 0.5 ? uniform(in: 0.05...2) : nil,
          gammaFactor: haveOwn && uniform() < 0.5 ? (uniform() < 0.1 ? 0 : spread(0.5)) : 1))
    }
    let floor = units.reduce(0) { $0 + $1.cost * $1.lower }
    var program = CapacityProgram(budget: floor + Double(count) * spread(0.5))
    if equalCosts { program.budget = program.budget.rounded(.up) }
    program.alpha = uniform(in: 0.1...1)
    program.alphaPer = uniform() < 0.5 ? .cost : .slot
    program.beta = [0.5, 1, 2][integer(in: 0...2)]
    program.gamma = uniform() < 0.5 ? .automatic : .fixed(spread(1))
    program.offset = [0.5, 1, 2][integer(in: 0...2)]
    program.spend = uniform() < 0.5 ? .asPriced : .all
    program.utility = uniform() < 0.3 ? .power(uniform(in: 0.1...0.9)) : .log
    return (program, units)
  }

  /// A pruning program that its bounds can meet.
  mutating func pruningProgram(units count: Int, weights: ClosedRange<Int>) -> (
    PruningProgram, [PruningUnit]
  ) {
    var units: [PruningUnit] = []
    for index in 0..<count {
      let quality = uniform() < 0.1 ? 0 : uniform() < 0.2 ? 1 : spread(1.5)
      let lower = uniform() < 0.3 ? uniform(in: 0...0.3) : 0
      let upper = uniform() < 0.5 ? uniform(in: 0.6...1) : 1
      units.append(
        PruningUnit(
          index: index, quality: quality, weights: integer(in: weights), lower: lower, upper: upper)
      )
    }
    var program = PruningProgram(sparsity: uniform(in: 0.32...0.58))
    program.kappa = [0.5, 1, 2][integer(in: 0...2)]
    program.psi = uniform() < 0.5 ? .quadratic : .log
    program.damage = uniform() < 0.5 ? .perUnit : .perWeight
    program.depthPrior = uniform() < 0.3 ? uniform(in: -4...4) : 0
    return (program, units)
  }
}
