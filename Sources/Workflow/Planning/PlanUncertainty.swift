internal import Allocation
internal import Collectives
internal import PlanFiles

/// How much of a plan the noise of the gains may have decided, by the jackknife over folds.
///
/// The gains without fold s, for every s, are qualities that the same sequences less a part would have
/// given. The plan is solved again for each of them, all side by side, and judged on each of them: the
/// spread of the answers is their standard error, and what the plan loses is what noise costs it.
struct PlanUncertainty {
  /// Per unit of this rank: √((S−1)/S Σ (x₍ₛ₎ − x̄)²), and the smallest and largest x₍ₛ₎.
  let standardErrors: [Double]
  let ranges: [ClosedRange<Double>]
  /// (S−1)/S Σ R₍ₛ₎: what the plan is expected to lose, in units of the objective, to the noise of its
  /// qualities. R₍ₛ₎ is the regret of the plan on the gains without fold s (docs/theory/transfer.md);
  /// as regret is quadratic in a small drift, the sum is the jackknife's estimate of its mean.
  let noiseRegret: Double

  private init(_ judged: [TransferRegret]) {
    let count = Double(judged.count)
    let answers = judged[0].terms.indices.map { unit in judged.map { $0.terms[unit].target } }
    standardErrors = answers.map { answers in
      let mean = answers.reduce(0, +) / count
      let squares = answers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return ((count - 1) / count * squares).squareRoot()
    }
    ranges = answers.map { ($0.min() ?? 0)...($0.max() ?? 0) }
    noiseRegret = (count - 1) / count * judged.reduce(0) { $0 + $1.regret }
  }

  /// Nil where the gains of some unit have fewer than three folds, or where a plan without one of them
  /// does not exist. Collective.
  init?<Program: JudgedProgram>(
    of gains: SlicedGains, by quality: QualityRule, plan: [Program.Unit], under program: Program,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) {
    // 1. The same number of folds everywhere, or none.
    let counts = gains.units.map { Double($0.unit.gainWithoutFold?.count ?? 0) }
    var ends = [-(counts.min() ?? .greatestFiniteMagnitude), counts.max() ?? 0]
    world.maximum(&ends)
    search.note(allreduces: 1)
    guard ends[0] == -ends[1], ends[1] >= 3 else { return nil }

    // 2. Every fold left out once, all side by side.
    let (method, totalUnits) = (search.method, gains.totalUnits)
    let units = gains.units.map { ($0.unit.gainWithoutFold ?? [], Double($0.unit.parameters)) }
    let (results, allreduces) = JointCollective.run(Int(ends[1]), over: world) { fold, joint in
      Result { () throws(AllocationError) in
        var search = PriceSearch(method: method)
        // A gain below 0 counts as 0, as in the plan itself.
        let without = units.map { GainedUnit(gain: max($0.0[fold], 0), parameters: $0.1) }
        let qualities = try quality.qualities(
          of: without, totalUnits: totalUnits, search: &search, over: joint)
        return try program.regret(
          of: plan, on: qualities, totalUnits: totalUnits, search: &search, over: joint)
      }
    }
    search.note(allreduces: allreduces)
    var judged: [TransferRegret] = []
    for result in results {
      guard case .success(let regret) = result else { return nil }
      judged.append(regret)
    }
    self.init(judged)
  }
}

extension PlanDocument.Unit {
  /// Takes down what is known of the answer at a rank's own position.
  mutating func note(_ uncertainty: PlanUncertainty?, at position: Int) {
    guard let uncertainty else { return }
    continuousStandardError = uncertainty.standardErrors[position]
    let range = uncertainty.ranges[position]
    continuousRange = [range.lowerBound, range.upperBound]
  }
}
