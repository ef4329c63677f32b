public import Collectives

/// The steps of a spectrum: each the sum of `--multiple-of` decreases.
struct SpectrumStepWorth: StepWorth {
  let values: [Double]

  /// Only whole steps count. Sums of falling terms in one order fall too, bit for bit.
  init(_ decreases: [Double], step: Int) {
    values = stride(from: 0, through: decreases.count - step, by: step).map {
      decreases[$0..<$0 + step].reduce(0, +)
    }
  }

  func value(ofStep number: Int) -> Double { values[number] }

  /// Σ of the first `steps` values, and the part of the next that is taken.
  func total(ofFirst steps: Double) -> Double {
    let whole = Int(steps)
    let part = steps - Double(whole)
    let sum = values.prefix(whole).reduce(0, +)
    return part > 0 ? sum + part * values[whole] : sum
  }
}

extension SpectrumProgram {
  /// Solves the program over all units of all ranks.
  ///
  /// `units` are this rank's, in the order of their index; `totalUnits` counts those of all ranks.
  /// Collective: every rank calls, also one that owns no unit; throws alike on every rank.
  /// Postconditions: spent ≤ budget; for equal costs no other ranks within the bounds take more loss
  /// away, for unequal ones `certificate.integralityGap` bounds what others could.
  /// The result has the same bits for any number of ranks, slicing and search method.
  /// - Complexity: a price search of O(log rank) per unit and trial; with unequal costs one more for
  ///   every turn of the fill.
  public func solve(
    _ units: [SpectrumUnit], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> SpectrumSolution {
    // 1. Steps of every unit, and what the lower bounds leave.
    let scale = FixedPointScale(largest: 4 * budget, terms: totalUnits)
    let target = scale.fixed(budget)
    var stepped = try steppedUnits(
      units, totalUnits: totalUnits, scale: scale, search: &search, over: world)
    let floor = stepped.reduce(Int128(0)) { $0 + Int128($1.held) * $1.fixedStepCost }
    let available = target - search.sum([floor], over: world)[0]
    for position in stepped.indices {
      // No plan gives a unit more than all that is left.
      let affordable = available / stepped[position].fixedStepCost
      let room = Int128(stepped[position].upper - stepped[position].lower)
      stepped[position].upper = stepped[position].lower + Int(min(affordable, room))
    }

    // 2. The price, ties, and the fill.
    let bought = search.buySteps(
      stepped, target: target, floorPrice: -.leastNonzeroMagnitude, totalUnits: totalUnits,
      over: world)

    // 3. What it comes to, and the certificate.
    let spentContinuous = scale.value(target - bought.relaxedLeft)
    let certificate = certificate(
      bought, bounds: stepped, left: scale.value(bought.relaxedLeft),
      integerLeft: scale.value(bought.left), totalUnits: totalUnits, search: &search, over: world)
    return SpectrumSolution(
      price: bought.price ?? 0, ranks: bought.units.map { $0.held * step },
      spent: scale.value(target - bought.left),
      continuous: bought.relaxed.map { $0 * Double(step) }, spentContinuous: spentContinuous,
      certificate: certificate)
  }

  /// Every unit in steps, holding its lower bound. Collective.
  func steppedUnits(
    _ units: [SpectrumUnit], totalUnits: Int, scale: FixedPointScale, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> [SteppedCapacity<SpectrumStepWorth>] {
    try validate()
    search.note(allreduces: 1)
    try agreeOnUnits(units.map(\.index), over: world) { place throws(AllocationError) in
      try validate(units[place])
    }
    let floors = search.exactSums(
      [units.map { $0.cost * Double(bounds(of: $0).lower) }], totalTerms: totalUnits,
      over: world)[0]
    guard floors <= budget else {
      throw .infeasible(
        what: "the budget", value: "\(budget)",
        nearest: "the lower bounds, rounded up to multiples of \(step), cost \(floors)",
        advice: "raise --budget to at least \(floors) or lower --min")
    }
    return units.map { unit in
      let worth = SpectrumStepWorth(unit.decreases, step: step)
      var (lower, upper) = stepBounds(of: unit)
      if spend == .asPriced {
        // Values fall, so those above 0 come first.
        upper = max(lower, worth.values.prefix(upper).prefix { $0 > 0 }.count)
      }
      let stepCost = unit.cost * Double(step)
      return SteppedCapacity(
        index: unit.index, worth: worth, stepRunningCost: 0, stepCost: stepCost,
        fixedStepCost: max(scale.fixed(min(stepCost, 2 * budget)), 1), lower: lower, upper: upper,
        held: lower)
    }
  }
}
