/// What the steps of one unit are worth, the first ones most.
protocol StepWorth: Sendable {
  /// The value of the step from `number` to `number` + 1, which does not depend on any price.
  func value(ofStep number: Int) -> Double
}

/// What the utility gains by step j of m slots: from j m to (j + 1) m; 0 for a unit of zero weight.
struct UtilityStepWorth: StepWorth {
  /// γ γ_k q^β.
  let weight: Double
  let curve: UtilityCurve
  let step: Double

  func value(ofStep number: Int) -> Double {
    curve.value(weight, ofStep: step, from: Double(number) * step)
  }
}

/// One unit of a whole-number capacity program, counted in steps of `--multiple-of`.
struct SteppedCapacity<Worth: StepWorth>: Sendable {
  let index: Int
  let worth: Worth
  /// a · step.
  let stepRunningCost: Double
  /// c · step.
  let stepCost: Double
  /// c · step on the budget's scale.
  let fixedStepCost: Int128
  /// Steps that the bounds force and allow.
  let lower: Int
  var upper: Int
  /// Steps held so far.
  var held: Int

  /// The number of steps held at the price: those whose value is at least a · step + λ c · step.
  ///
  /// A bisection over a tree of step numbers that is fixed by the bounds alone. At every node the
  /// value compared with the price does not depend on the price, so a higher price turns left at
  /// least as early: the count does not rise with the price, whatever the values' last bits.
  /// - Complexity: log₂(upper − lower) values.
  func steps(at price: Double) -> Int {
    let threshold = threshold(at: price)
    var low = lower
    var high = upper
    while low < high {
      let middle = low + (high - low) / 2
      if worth.value(ofStep: middle) >= threshold {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  /// What a step must be worth at the price.
  func threshold(at price: Double) -> Double { stepRunningCost + price * stepCost }

  /// Whether the unit may take another step and could pay for it.
  func isEligible(within left: Int128) -> Bool { held < upper && fixedStepCost <= left }
}

/// Σ c m (steps at λ − steps held) over units that can still afford a step, against the price.
struct StepDemand<Worth: StepWorth>: DemandCurve {
  func point(at key: Int64) -> Double { OrderedKey.value(of: key) }

  func term(of unit: SteppedCapacity<Worth>, at price: Double) -> Int128 {
    Int128(max(unit.steps(at: price) - unit.held, 0)) * unit.fixedStepCost
  }
}
