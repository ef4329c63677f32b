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
  ) -> (certificate: Certificate, sensitivities: Sensitivities) {
    func objective(_ unit: PricedPruning, _ share: Double) -> Double {
      damage(unit, share: share) - (b + unit.prior) * unit.weights * share
    }
    func lagrangian(_ unit: PricedPruning, _ share: Double) -> Double {
      damage(unit, share: share) - (mu + unit.prior) * unit.weights * share
    }
    let pairs = Array(zip(units, shares))
    let responses = pairs.map { $0.response(at: $1, mu: mu, psi: psi) }
    let levels = pairs.map { $0.resistance == 0 && $1 > $0.lower && $1 < $0.upper }
    let sums = search.exactSums(
      [
        pairs.map(objective),
        units.map { lagrangian($0, $0.share(at: mu, psi: psi)) },
        zip(units, integers).map { objective($0, Double($1) / $0.weights) },
        pairs.map { $1 == $0.lower ? 1 : 0 },
        pairs.map { $1 == $0.upper ? 1 : 0 }, zip(units, responses).map { $0.weights * $1 },
        units.map { $0.weights * $0.lower }, units.map { $0.weights * $0.upper },
        zip(units, levels).map { $1 ? $0.weights : 0 },
      ], totalTerms: totalUnits, over: world)
    let removed = Double(target.removed)
    let ranges = units.map { unit in
      unit.curvatures(
        psi: psi, low: max(unit.lower, unit.upper - max(sums[7] - removed, 0) / unit.weights),
        high: min(unit.upper, unit.lower + max(removed - sums[6], 0) / unit.weights))
    }.filter { $0.smallest > 0 }
    let extremes = search.maximum(
      [
        pairs.map { stationarity($0, share: $1, mu: mu) }.max() ?? 0,
        -(ranges.map(\.smallest).min() ?? .greatestFiniteMagnitude),
        ranges.map(\.largest).max() ?? 0,
      ], over: world)
    let residual = extremes[0]
    let modulus = -extremes[1] < .greatestFiniteMagnitude ? -extremes[1] : nil
    let price = b - mu
    let dual = sums[1] - price * Double(target.removed)
    let sensitivities = Sensitivities(
      responses: responses, levels: levels, totalResponse: sums[5], totalLevel: sums[8],
      ofBounds: pairs.map { $0.boundWorth(at: $1, mu: mu, psi: psi) })
    let certificate = Certificate(
      primal: sums[0], dual: dual, gap: sums[0] - dual, stationarityResidual: residual,
      feasibilityResidual: abs(left), complementarityResidual: 0,
      kktResidual: max(residual, abs(left) / Double(max(target.removed, 1))),
      budgetLeft: left, integralityGap: sums[2] - dual, integerBudgetLeft: 0,
      unitsAtLower: Int(sums[3]), unitsAtUpper: Int(sums[4]), modulus: modulus,
      conditionNumber: modulus.map { min(extremes[2] / $0, .greatestFiniteMagnitude) })
    return (certificate, sensitivities)
  }
}
