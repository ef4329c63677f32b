/// One unit of the whole-number capacity program, counted in steps of `--multiple-of`.
struct SteppedCapacity: Sendable {
  let index: Int
  /// γ q^β.
  let weight: Double
  /// a · step.
  let stepRunningCost: Double
  /// c · step.
  let stepCost: Double
  /// c · step on the budget's scale.
  let fixedStepCost: Int128
  /// Steps that the bounds force and allow.
  let lower: Int
  let upper: Int
  /// Steps held so far.
  var held: Int
}

/// Counts the steps of a unit that are worth their price.
///
/// The step from j to j+1 (in multiples m of the step size) is taken while its marginal value is
/// at least its cost:  w log((s + (j+1) m) / (s + j m)) − a m ≥ λ c m.
struct StepCount: Sendable {
  let offset: Double
  let step: Double

  /// The number of steps held at the price.
  ///
  /// A bisection over a tree of step numbers that is fixed by the bounds alone. At every node the
  /// value compared with the price does not depend on the price, so a higher price turns left at
  /// least as early: the count does not rise with the price, whatever the logarithm's last bits.
  /// - Complexity: log₂(upper − lower) logarithms.
  func steps(of unit: SteppedCapacity, at price: Double) -> Int {
    let threshold = unit.stepRunningCost + price * unit.stepCost
    var low = unit.lower
    var high = unit.upper
    while low < high {
      let middle = low + (high - low) / 2
      if value(of: middle, weight: unit.weight) >= threshold {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  /// w log(1 + m / (s + j m)), the value of step j; 0 for a unit of zero weight.
  private func value(of number: Int, weight: Double) -> Double {
    weight > 0 ? weight * logOnePlus(step / (offset + Double(number) * step)) : 0
  }
}

/// Σ c m (steps at λ − steps held) over units that can still afford a step, against the price.
struct StepDemand: DemandCurve {
  let count: StepCount

  func point(at key: Int64) -> Double { OrderedKey.value(of: key) }

  func term(of unit: SteppedCapacity, at price: Double) -> Int128 {
    let steps = count.steps(of: unit, at: price)
    return Int128(max(steps - unit.held, 0)) * unit.fixedStepCost
  }
}
