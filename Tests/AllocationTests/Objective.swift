import Allocation
import Foundation

/// The capacity objective, written again from the paper: the second road.
struct Objective {
  let program: CapacityProgram
  let units: [CapacityUnit]
  let gamma: Double

  init(_ program: CapacityProgram, _ units: [CapacityUnit], gamma: Double) {
    self.program = program
    self.units = units
    self.gamma = gamma
  }

  func cost(_ integers: [Int]) -> Double {
    zip(units, integers).reduce(0) { $0 + $1.0.cost * Double($1.1) }
  }

  func value(_ integers: [Int]) -> Double { value(integers.map(Double.init)) }

  func value(_ capacities: [Double]) -> Double {
    zip(units, capacities).reduce(0) { sum, pair in
      let (unit, x) = pair
      let a = program.alphaPer == .cost ? program.alpha * unit.cost : program.alpha
      return sum + a * x - gamma * pow(unit.quality, program.beta) * log(program.offset + x)
    }
  }

  /// The smallest objective over every whole-number plan within bounds and budget.
  func bestByEnumeration(mustSpendAll: Bool) -> Double {
    var best = Double.infinity
    var mostSpent = -1.0
    func visit(_ prefix: [Int], _ spent: Double) {
      guard spent <= program.budget else { return }
      guard prefix.count < units.count else {
        let objective = value(prefix)
        if mustSpendAll {
          if spent > mostSpent { (mostSpent, best) = (spent, objective) }
          if spent == mostSpent { best = min(best, objective) }
        } else {
          best = min(best, objective)
        }
        return
      }
      let unit = units[prefix.count]
      var next = Int(unit.lower)
      while Double(next) <= unit.upper, spent + unit.cost * Double(next) <= program.budget {
        visit(prefix + [next], spent + unit.cost * Double(next))
        next += 1
      }
    }
    visit([], 0)
    return best
  }
}

func raised(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

/// A sum with one rounding at the end for terms of ordinary size: error-free transformations in the
/// manner of Shewchuk, as in Python's math.fsum.
func exactSum(_ terms: [Double]) -> Double {
  var partials: [Double] = []
  for term in terms {
    var x = term
    var kept: [Double] = []
    for var y in partials {
      if abs(x) < abs(y) { swap(&x, &y) }
      let high = x + y
      let low = y - (high - x)
      if low != 0 { kept.append(low) }
      x = high
    }
    partials = kept + [x]
  }
  return partials.reduce(0, +)
}
