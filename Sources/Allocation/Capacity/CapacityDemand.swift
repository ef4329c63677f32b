/// Σ c x(λ) against the price λ.
struct CapacityDemand: DemandCurve {
  let scale: FixedPointScale
  let utility: UtilityCurve
  /// Terms are cut off here: above it the demand exceeds the budget whatever the others ask for.
  let saturation: Double

  func point(at key: Int64) -> Double { OrderedKey.value(of: key) }

  func term(of unit: PricedCapacity, at price: Double) -> Int128 {
    scale.fixed(min(unit.cost * unit.capacity(at: price, along: utility), saturation))
  }
}

/// −Σ c x at price 0 against γ, for units whose `weight` is γ_k q^β.
struct UnpricedDemand: DemandCurve {
  let scale: FixedPointScale
  let utility: UtilityCurve
  let saturation: Double

  func point(at key: Int64) -> Double { OrderedKey.value(of: key) }

  func term(of unit: PricedCapacity, at gamma: Double) -> Int128 {
    let capacity = unit.unpricedCapacity(at: gamma, along: utility)
    return -scale.fixed(min(unit.cost * capacity, saturation))
  }
}

/// −Σ c clip(t, low, high) against a common level t.
struct LevelDemand: DemandCurve {
  struct Unit: Sendable {
    let cost: Double
    let low: Double
    let high: Double
  }
  let scale: FixedPointScale
  let saturation: Double

  func point(at key: Int64) -> Double { OrderedKey.value(of: key) }

  func term(of unit: Unit, at level: Double) -> Int128 {
    -scale.fixed(min(unit.cost * min(max(level, unit.low), unit.high), saturation))
  }
}
