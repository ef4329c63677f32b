internal import Collectives

extension PruningProgram {
  /// r ψ(ρ), kept finite at ρ = 1 where −log(1−ρ) is not.
  func damage(_ unit: PricedPruning, share: Double) -> Double {
    switch psi {
    case .quadratic: return unit.resistance * share * share
    case .log: return -unit.resistance * logOnePlus(-min(share, 1 - 0x1p-53))
    }
  }

  private func stationarity(_ unit: PricedPruning, share: Double, mu: Double) -> Double {
    let pull = (mu + unit.prior) * unit.weights
    let push: Double
    switch psi {
    case .quadratic: push = 2 * unit.resistance * share
    case .log: push = unit.resistance / max(1 - share, 0x1p-53)
    }
    let slope = push - pull
    if share == unit.lower && slope >= 0 { return 0 }
    if share == unit.upper && slope <= 0 { return 0 }
    let size = push + abs(pull)
    return size > 0 ? abs(slope) / size : 0
  }

  /// Checks the answer from scratch. Collective; three allreduces. See `Certificate`.
  func certificate(
    _ units: [PricedPruning], shares: [Double], integers: [Int], mu: Double, left: Double,
    target: PruningTarget, totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) -> Certificate {
    func objective(_ unit: PricedPruning, _ share: Double) -> Double {
      damage(unit, share: share) - (b + unit.prior) * unit.weights * share
    }
    func lagrangian(_ unit: PricedPruning, _ share: Double) -> Double {
      damage(unit, share: share) - (mu + unit.prior) * unit.weights * share
    }
    let pairs = Array(zip(units, shares))
    let sums = search.exactSums(
      [
        pairs.map(objective),
        units.map { lagrangian($0, $0.share(at: mu, psi: psi)) },
        zip(units, integers).map { objective($0, Double($1) / $0.weights) },
        pairs.map { $1 == $0.lower ? 1 : 0 },
        pairs.map { $1 == $0.upper ? 1 : 0 },
      ], totalTerms: totalUnits, over: world)
    let residual = search.maximum(
      [pairs.map { stationarity($0, share: $1, mu: mu) }.max() ?? 0], over: world)[0]
    let price = b - mu
    let dual = sums[1] - price * Double(target.removed)
    return Certificate(
      primal: sums[0], dual: dual, gap: sums[0] - dual, stationarityResidual: residual,
      feasibilityResidual: abs(left), complementarityResidual: 0,
      kktResidual: max(residual, abs(left) / Double(max(target.removed, 1))),
      budgetLeft: left, integralityGap: sums[2] - dual, integerBudgetLeft: 0,
      unitsAtLower: Int(sums[3]), unitsAtUpper: Int(sums[4]))
  }
}
