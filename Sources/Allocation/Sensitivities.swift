/// What moves when the budget or a bound does, for this rank's units.
struct Sensitivities: Sendable, Equatable {
  /// dx/dB: how much of one more unit of budget each unit gets, in capacity; for pruning dρ/dS. 0 where
  /// a bound holds the unit or the budget does not bind. Right for changes too small to move a bound.
  let ofBudget: [Double]
  /// By how much the objective falls per unit of capacity (share) that the bound which holds the unit
  /// gives way, at the present price; 0 where none does.
  let ofBounds: [Double]
}

extension Sensitivities {
  /// From what the units of this rank answer to the price, and the sums over all units.
  ///
  /// - Parameters:
  ///   - levels: whether a unit is linear and shares the common level; then those units alone take what
  ///     more there is, all alike.
  ///   - totalResponse: Σ c · response of all units; 0 or less where nothing moves.
  ///   - totalLevel: Σ c of the units that share the level.
  init(
    responses: [Double], levels: [Bool], totalResponse: Double, totalLevel: Double,
    ofBounds: [Double]
  ) {
    self.ofBounds = ofBounds
    if totalLevel > 0 {
      ofBudget = levels.map { $0 ? 1 / totalLevel : 0 }
    } else {
      ofBudget = responses.map { totalResponse > 0 ? $0 / totalResponse : 0 }
    }
  }
}

extension PricedCapacity {
  /// −dx/dλ = c (s + x)²/w at an answer inside the bounds, else 0.
  func response(at capacity: Double, offset: Double) -> Double {
    guard capacity > lower, capacity < upper, weight > 0 else { return 0 }
    return cost * (offset + capacity) * (offset + capacity) / weight
  }

  /// The slope of the Lagrangian towards the inside where a bound holds the unit, not negative.
  func boundWorth(at capacity: Double, price: Double, offset: Double) -> Double {
    let slope = runningCost + price * cost - weight / (offset + capacity)
    if capacity == lower, capacity < upper { return max(slope, 0) }
    if capacity == upper, capacity > lower { return max(-slope, 0) }
    return lower == upper ? abs(slope) : 0
  }

  /// The smallest f″ up to the highest capacity that the budget leaves: m of docs/theory/transfer.md.
  func modulus(highest: Double, offset: Double) -> Double {
    weight / ((offset + highest) * (offset + highest))
  }
}

extension PricedPruning {
  /// dρ/dμ at an answer inside the bounds, else 0.
  func response(at share: Double, mu: Double, psi: PruningProgram.Psi) -> Double {
    guard share > lower, share < upper, resistance > 0 else { return 0 }
    switch psi {
    case .quadratic: return weights / (2 * resistance)
    case .log: return weights * (1 - share) * (1 - share) / resistance
    }
  }

  /// As for capacity, by the slope r ψ′(ρ) − (μ + τ d) n.
  func boundWorth(at share: Double, mu: Double, psi: PruningProgram.Psi) -> Double {
    let push = psi == .quadratic ? 2 * share : 1 / max(1 - share, 0x1p-53)
    let slope = (resistance > 0 ? resistance * push : 0) - (mu + prior) * weights
    if share == lower, share < upper { return max(slope, 0) }
    if share == upper, share > lower { return max(-slope, 0) }
    return lower == upper ? abs(slope) : 0
  }

  /// The smallest and largest f″ = r ψ″ over a range of shares; 0 for a linear unit.
  func curvatures(
    psi: PruningProgram.Psi, low: Double, high: Double
  ) -> (smallest: Double, largest: Double) {
    guard resistance > 0, psi == .log else { return (2 * resistance, 2 * resistance) }
    let (below, above) = (max(1 - low, 0x1p-53), max(1 - high, 0x1p-53))
    return (resistance / (below * below), resistance / (above * above))
  }
}
