extension CapacityProgram {
  /// Σ c x(λ) of the continuous answers at each of `prices`, on one rank alone: what the found price
  /// is compared with.
  ///
  /// γ must be fixed: it is part of the program, not of the price. Infinite where a unit without an
  /// upper bound would take all.
  /// - Complexity: one term per unit and price.
  public func demands(
    of units: [CapacityUnit], at prices: [Double]
  ) throws(AllocationError) -> [Double] {
    try validate()
    guard case .fixed(let gamma) = gamma else {
      throw .invalid(
        what: "gamma", value: "auto", limit: "a number", advice: "take the one that was resolved")
    }
    let priced = units.map { PricedCapacity($0, program: self, gamma: gamma) }
    let curve = utilityCurve
    return prices.map { price in
      priced.reduce(0) { $0 + $1.cost * $1.capacity(at: price, along: curve) }
    }
  }
}

extension PruningProgram {
  /// Σ n ρ(μ) of the continuous answers at each of `drives`, μ = b − λ, on one rank alone.
  /// - Complexity: one term per unit and μ.
  public func demands(
    of units: [PruningUnit], at drives: [Double]
  ) throws(AllocationError) -> [Double] {
    try validate()
    let priced = units.map { PricedPruning($0, program: self, totalUnits: units.count) }
    return drives.map { drive in
      priced.reduce(0) { $0 + $1.weights * $1.share(at: drive, psi: psi) }
    }
  }
}
