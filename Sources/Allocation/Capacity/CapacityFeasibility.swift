internal import Collectives

extension CapacityUnit {
  /// - Parameter program: whose α counts for units without one.
  func validate(in program: CapacityProgram) throws(AllocationError) {
    func require(
      _ good: Bool, _ what: String, _ value: Double, _ limit: String, _ advice: String
    ) throws(AllocationError) {
      guard !good else { return }
      throw .invalid(
        what: what, unit: index, value: "\(value)", limit: limit, advice: advice)
    }
    let most = CapacityProgram.largest
    try require(
      quality >= 0 && power(quality, program.beta) <= most, "the quality", quality,
      "not negative, at most 2^200 with its exponent beta", "check the scores, or --normalize them")
    try require(
      quality == 0 || power(quality, program.beta) * most >= 1, "the quality", quality,
      "0, or at least 2^-200 with its exponent beta",
      "write 0 for a unit that is worth so little beside the others")
    try require(
      cost >= 1 / most && cost <= most, "the cost", cost, "between 2^-200 and 2^200",
      "use --fix for units that must not take part")
    try require(
      lower >= 0 && lower <= most, "the lower bound", lower, "not negative, at most 2^200",
      "see --min and --bounds")
    try require(
      upper >= lower, "the upper bound", upper, "at least the lower bound \(lower)",
      "see --max and --bounds")
    try require(
      gammaFactor >= 0 && gammaFactor <= most, "the gamma factor", gammaFactor,
      "not negative, at most 2^200", "check --program")
    if let alpha {
      try require(
        alpha >= 0 && alpha <= most, "alpha", alpha, "not negative, at most 2^200",
        "check --program")
    }
    if case .fixed(let gamma) = program.gamma {
      // What the objective adds up must not overflow; an automatic γ follows from the running costs.
      let priced = PricedCapacity(self, program: program, gamma: gamma)
      let most = min(upper, lower + program.budget / cost, .greatestFiniteMagnitude)
      let utility = program.utilityCurve.value(priced.weight, at: most)
      try require(
        abs(utility) < 0x1p1000, "the largest utility", utility, "below 1e301",
        "lower --gamma or normalize the qualities")
      return
    }
    // Without a running cost a unit asks for all it may have at price 0, whatever γ is.
    let limit = "positive when gamma is chosen automatically (or fix --gamma)"
    if let alpha {
      try require(alpha > 0, "alpha", alpha, limit, "check --program")
    } else if !(program.alpha > 0) {
      throw .invalid(
        what: "alpha", value: "\(program.alpha)", limit: limit,
        advice: "see layerbudget allocate --help")
    }
  }
}

extension CapacityProgram {
  /// Refuses lower bounds that cost more than the budget. Collective, two allreduces.
  ///
  /// Called once a search has found that they may: their sum, rounded as a user would see it, decides.
  func requireAffordableFloor(
    _ units: [CapacityUnit], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) {
    let floor = search.exactSums(
      [units.map { $0.cost * $0.lower }], totalTerms: totalUnits, over: world)[0]
    guard floor <= budget else {
      throw .infeasible(
        what: "the budget", value: "\(budget)",
        nearest: "the lower bounds alone cost \(floor), \(floor - budget) more",
        advice: "raise --budget to at least \(floor) or lower --min")
    }
  }
}
