internal import Collectives

extension CapacityProgram {
  /// a x − w U(x), the unit's part of the objective.
  private func objective(of unit: PricedCapacity, at capacity: Double) -> Double {
    unit.runningCost * capacity - utilityCurve.value(unit.weight, at: capacity)
  }

  /// How far x is from minimising the unit's Lagrangian over its bounds, relative to the terms of
  /// the slope a + λ c − w U′(x), which cancel at an optimum. 0 where a bound stops the unit.
  private func stationarity(
    of unit: PricedCapacity, at capacity: Double, price: Double
  ) -> Double {
    let marginal = utilityCurve.marginal(unit.weight, at: capacity)
    let slope = unit.runningCost + price * unit.cost - marginal
    if capacity == unit.lower && slope >= 0 { return 0 }
    if capacity == unit.upper && slope <= 0 { return 0 }
    let size = unit.runningCost + abs(price) * unit.cost + marginal
    return size > 0 ? abs(slope) / size : 0
  }

  /// Checks the answer from scratch. Collective; three allreduces.
  ///
  /// The dual value is the Lagrangian's minimum at the price, so by weak duality it bounds the
  /// objective of every feasible plan, whole numbers included. Below price 0 (`--spend all`) it bounds
  /// plans that spend everything; what the integers leave over is charged to them at the price.
  func certificate(
    _ units: [PricedCapacity], capacities: [Double], integers: CapacityIntegers?, price: Double,
    spent: Double, left: Double, totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) -> (certificate: Certificate, sensitivities: Sensitivities) {
    let pairs = Array(zip(units, capacities))
    let primalTerms = pairs.map { objective(of: $0, at: $1) }
    let dualTerms = units.map { unit in
      let best = unit.capacity(at: price, along: utilityCurve)
      guard best.isFinite else { return -Double.greatestFiniteMagnitude / Double(totalUnits) }
      return objective(of: unit, at: best) + price * unit.cost * best
    }
    let integerTerms = zip(units, integers?.values ?? []).map {
      objective(of: $0, at: Double($1))
    }
    let atLower = pairs.map { $1 == $0.lower ? 1.0 : 0 }
    let atUpper = pairs.map { $1 == $0.upper ? 1.0 : 0 }
    let responses = pairs.map { $0.response(at: $1, along: utilityCurve) }
    let levels = pairs.map { $0.weight == 0 && $1 > $0.lower && $1 < $0.upper }
    let sums = search.exactSums(
      [
        primalTerms, dualTerms, integerTerms, atLower, atUpper,
        zip(units, responses).map { $0.cost * $1 }, units.map { $0.cost * $0.lower },
        zip(units, levels).map { $1 ? $0.cost : 0 },
      ], totalTerms: totalUnits, over: world)
    // Strong convexity over what the lower bounds of the others leave of the budget.
    let curved = units.filter { $0.weight > 0 }
    let moduli = curved.map { unit in
      unit.modulus(
        highest: min(unit.upper, unit.lower + max(budget - sums[6], 0) / unit.cost),
        along: utilityCurve)
    }
    let smoothest = curved.map { $0.modulus(highest: $0.lower, along: utilityCurve) }
    let extremes = search.maximum(
      [
        pairs.map { self.stationarity(of: $0, at: $1, price: price) }.max() ?? 0,
        -(moduli.min() ?? .greatestFiniteMagnitude), smoothest.max() ?? 0,
      ], over: world)
    let stationarity = extremes[0]
    let modulus = -extremes[1] < .greatestFiniteMagnitude ? -extremes[1] : nil

    // `--spend all` asks for the budget or, where the caps allow less, for all that they allow.
    let isCapped = spend == .all && Int(sums[4]) == totalUnits
    let target = isCapped ? spent : budget
    let primal = sums[0]
    let dual = sums[1] - price * target
    let overspent = max(0, -left)
    let complementarity = (price > 0 || spend == .all) && !isCapped ? abs(price * left) : 0
    let sensitivities = Sensitivities(
      responses: responses, levels: levels, totalResponse: price != 0 ? sums[5] : 0,
      totalLevel: sums[7],
      ofBounds: pairs.map { $0.boundWorth(at: $1, price: price, along: utilityCurve) })
    let certificate = Certificate(
      primal: primal, dual: dual, gap: primal - dual, stationarityResidual: stationarity,
      feasibilityResidual: overspent, complementarityResidual: complementarity,
      kktResidual: max(
        stationarity, overspent / budget,
        complementarity / max(abs(primal), abs(price) * budget, .leastNormalMagnitude)),
      budgetLeft: left,
      integralityGap: integers.map { sums[2] - dual - min(price, 0) * (target - $0.spent) },
      integerBudgetLeft: integers.map { budget - $0.spent },
      unitsAtLower: Int(sums[3]), unitsAtUpper: Int(sums[4]), modulus: modulus,
      conditionNumber: modulus.flatMap {
        $0 > 0 ? min(extremes[2] / $0, .greatestFiniteMagnitude) : nil
      })
    return (certificate, sensitivities)
  }
}
