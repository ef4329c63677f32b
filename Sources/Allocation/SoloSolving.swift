internal import Collectives

// Programs for callers that have all units in one process: the bits of a run on many ranks, and nothing
// of `Collectives` to import. None of these is collective.

extension QualityRule {
  /// Qualities of all units, in their order.
  /// - Complexity: a few terms per unit; with a floor a price search.
  public func qualities(of units: [GainedUnit]) throws(AllocationError) -> [Double] {
    var search = PriceSearch(method: .accelerated)
    return try qualities(
      of: units, totalUnits: units.count, search: &search, over: SoloCollective())
  }
}

extension CapacityProgram {
  /// Solves the program over all units, which are in the order of their index, 0 first.
  /// - Complexity: one term per unit and trial price.
  public func solve(
    _ units: [CapacityUnit], wholeNumbers: Bool = false
  ) throws(AllocationError) -> CapacitySolution {
    var search = PriceSearch(method: .accelerated)
    return try solve(
      units, totalUnits: units.count, wholeNumbers: wholeNumbers, search: &search,
      over: SoloCollective())
  }
}

extension PruningProgram {
  /// Solves the program over all units, which are in the order of their index, 0 first.
  /// - Complexity: one term per unit and trial price.
  public func solve(_ units: [PruningUnit]) throws(AllocationError) -> PruningSolution {
    var search = PriceSearch(method: .accelerated)
    return try solve(units, totalUnits: units.count, search: &search, over: SoloCollective())
  }
}

extension SpectrumProgram {
  /// Solves the program over all units, which are in the order of their index, 0 first.
  /// - Complexity: O(log rank) per unit and trial price.
  public func solve(_ units: [SpectrumUnit]) throws(AllocationError) -> SpectrumSolution {
    var search = PriceSearch(method: .accelerated)
    return try solve(units, totalUnits: units.count, search: &search, over: SoloCollective())
  }
}
