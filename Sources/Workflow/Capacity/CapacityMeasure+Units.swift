internal import Allocation
internal import PlanFiles

extension CapacityMeasure {
  /// This rank's units of the capacity program: qualities, costs and bounds together.
  func units(
    _ gains: SlicedGains, _ qualities: [Double], _ values: UnitValues
  ) throws(Failure) -> [CapacityUnit] {
    var units: [CapacityUnit] = []
    for (gained, quality) in zip(gains.units, qualities) {
      var (lower, upper) = values.bounds(of: gained.unit.name)
      if let least = values.costs.topK.map(Double.init), kind == .slots, upper > 0 {
        guard upper >= least else {
          throw Failure(
            .infeasible,
            "unit \"\(gained.unit.name)\" may have at most \(upper) slots, but a token is sent to "
              + "\(Int(least)) experts; raise the bound, or lower --top-k")
        }
        lower = max(lower, least)
      }
      let own = values.costs.program(of: gained.unit.name)
      units.append(
        CapacityUnit(
          index: gained.index, quality: quality, cost: try values.costs.cost(of: gained.unit),
          lower: lower, upper: upper, alpha: own?.alpha, gammaFactor: own?.gamma ?? 1))
    }
    return units
  }
}

extension CapacityProgram {
  /// The program's options as resolved, with γ as used; nil where none was given or found.
  func asParameters(
    gamma used: Double?, utility other: CapacityUtility? = nil
  ) -> [String: ParameterValue] {
    var parameters: [String: ParameterValue] = [
      "alpha": .number(alpha), "alpha_per": .text(alphaPer.rawValue), "beta": .number(beta),
      "gamma_rule": .text(gamma == .automatic ? "auto" : "fixed"), "offset": .number(offset),
      "utility": .text("\(other ?? CapacityUtility(utility))"), "spend": .text(spend.rawValue),
    ]
    if let used { parameters["gamma"] = .number(used) }
    return parameters
  }
}
