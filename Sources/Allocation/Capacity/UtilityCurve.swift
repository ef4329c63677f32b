/// The utility's shape over capacity, which a unit's weight w = γ γ_k q^β scales.
struct UtilityCurve: Sendable {
  /// s.
  let offset: Double
  let utility: CapacityProgram.Utility

  /// w log(s + x), or w (s + x)^θ/θ; 0 without weight.
  func value(_ weight: Double, at capacity: Double) -> Double {
    guard weight > 0 else { return 0 }
    switch utility {
    case .log: return weight * naturalLog(offset + capacity)
    case .power(let theta): return weight * power(offset + capacity, theta) / theta
    }
  }

  /// The slope of `value`: w / (s + x), or w (s + x)^(θ−1).
  func marginal(_ weight: Double, at capacity: Double) -> Double {
    switch utility {
    case .log: return weight / (offset + capacity)
    case .power(let theta): return weight * power(offset + capacity, theta - 1)
    }
  }

  /// f″, how fast that slope falls: w / (s + x)², or (1 − θ) w (s + x)^(θ−2).
  func curvature(_ weight: Double, at capacity: Double) -> Double {
    switch utility {
    case .log: return weight / ((offset + capacity) * (offset + capacity))
    case .power(let theta): return (1 - theta) * (weight * power(offset + capacity, theta - 2))
    }
  }

  /// What the step from x to x + m is worth, without the cancellation of two values:
  /// w log(1 + m/(s + x)), or w (s + x)^θ ((1 + m/(s + x))^θ − 1)/θ; 0 without weight.
  func value(_ weight: Double, ofStep step: Double, from capacity: Double) -> Double {
    guard weight > 0 else { return 0 }
    let growth = logOnePlus(step / (offset + capacity))
    switch utility {
    case .log: return weight * growth
    case .power(let theta):
      return weight * power(offset + capacity, theta) * expMinusOne(theta * growth) / theta
    }
  }
}

extension UtilityCurve {
  /// By how much the tangent at y lies above the curve at y + Δ: w (U′(y) Δ − U(y + Δ) + U(y)), not
  /// negative, without the cancellation for small Δ.
  ///
  /// With t = Δ/(s + y): w (t − log(1 + t)), or w (s + y)^θ (t − ((1 + t)^θ − 1)/θ).
  func bend(_ weight: Double, ofStep step: Double, from capacity: Double) -> Double {
    guard weight > 0 else { return 0 }
    let t = step / (offset + capacity)
    switch utility {
    case .log: return weight * logarithmGap(t)
    case .power(let theta):
      return weight * power(offset + capacity, theta) * powerGap(t, theta)
    }
  }
}

extension CapacityProgram {
  var utilityCurve: UtilityCurve { UtilityCurve(offset: offset, utility: utility) }
}

extension PricedCapacity {
  /// x(λ) = clip(x*, l, u) with the x* at which w U′(x*) = a + λ c.
  ///
  /// log: x* = w / (a + λ c) − s; power: x* = ((a + λ c)/w)^(1/(θ−1)) − s, found by `largest`.
  /// Where a + λ c ≤ 0 (only below price 0) capacity costs nothing, so the answer is u.
  /// Postcondition: does not rise with `price`, bit for bit: for log every operation is monotone under
  /// rounding, and `largest` is by its construction.
  func capacity(at price: Double, along curve: UtilityCurve) -> Double {
    let denominator = runningCost + price * cost
    if denominator < 0 { return upper }
    if denominator == 0 { return weight > 0 ? upper : lower }
    switch curve.utility {
    case .log: return min(max(weight / denominator - curve.offset, lower), upper)
    case .power: return largest(worth: denominator, gamma: 1, along: curve)
    }
  }

  /// The capacity at price 0 under γ, for a unit whose `weight` is γ_k q^β and whose running cost is
  /// positive. Postcondition: does not fall when `gamma` rises, bit for bit.
  func unpricedCapacity(at gamma: Double, along curve: UtilityCurve) -> Double {
    switch curve.utility {
    case .log: return min(max(gamma * weight / runningCost - curve.offset, lower), upper)
    case .power: return largest(worth: runningCost, gamma: gamma, along: curve)
    }
  }

  /// The largest x of the bounds at which γ times the slope of the utility is still worth the
  /// threshold; l if it is nowhere.
  ///
  /// pow is not known to be monotone under rounding. So this is a bisection over a tree of doubles that
  /// is fixed by the bounds alone: at every node the slope, which depends neither on price nor γ, is
  /// compared with the threshold, so a higher one turns left at least as early. The answer does not
  /// rise with the threshold, nor fall with γ, whatever the slopes' last bits.
  /// - Complexity: up to 63 slopes.
  private func largest(worth threshold: Double, gamma: Double, along curve: UtilityCurve) -> Double
  {
    var low = OrderedKey.key(of: lower)
    var high = OrderedKey.key(of: min(upper, .greatestFiniteMagnitude))
    while low < high {
      let middle = low + (high - low + 1) / 2
      let slope = curve.marginal(weight, at: OrderedKey.value(of: middle))
      if gamma * slope >= threshold {
        low = middle
      } else {
        high = middle - 1
      }
    }
    return OrderedKey.value(of: low)
  }
}
