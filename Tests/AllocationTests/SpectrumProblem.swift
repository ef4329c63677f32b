import Allocation
import Collectives
import TestSupport

/// A spectrum program solved on several ranks of one process.
struct SolvedSpectrum: Equatable {
  let price: UInt64
  let ranks: [Int]
  let continuous: [Double]
  let uniform: [Int]
  let spent: Double
  let spentContinuous: Double
  let certificate: Certificate

  init(
    _ program: SpectrumProgram, _ units: [SpectrumUnit], on ranks: Int = 1,
    method: PriceSearch.Method = .accelerated
  ) throws(AllocationError) {
    let results = ThreadedCollective.run(ranks: ranks) { world in
      Result { () throws(AllocationError) in
        var search = PriceSearch(method: method)
        let mine = slice(units, rank: world.rank, of: ranks)
        let solution = try program.solve(
          mine, totalUnits: units.count, search: &search, over: world)
        let uniform = try program.uniformRanks(
          mine, totalUnits: units.count, search: &search, over: world)
        return (solution, uniform)
      }
    }
    var parts: [(SpectrumSolution, [Int])] = []
    for result in results { parts.append(try result.get()) }
    let first = parts[0].0
    price = first.price.bitPattern
    self.ranks = merge(parts.map(\.0.ranks), count: units.count)
    continuous = merge(parts.map(\.0.continuous), count: units.count)
    uniform = merge(parts.map(\.1), count: units.count)
    spent = first.spent
    spentContinuous = first.spentContinuous
    certificate = first.certificate
  }
}

extension SeededGenerator {
  /// A spectrum program whose lower bounds fit its budget; some decreases are zero or tied.
  mutating func spectrumProgram(
    units count: Int, equalCosts: Bool, largestRank: Int = 9
  ) -> (SpectrumProgram, [SpectrumUnit]) {
    var program = SpectrumProgram(budget: 1)
    program.step = uniform() < 0.5 ? 1 : integer(in: 2...3)
    program.spend = uniform() < 0.5 ? .asPriced : .all
    var units: [SpectrumUnit] = []
    for index in 0..<count {
      let full = integer(in: program.step...largestRank)
      let decreases = (0..<full).map { _ in
        uniform() < 0.15 ? 0 : uniform() < 0.3 ? 1 : spread(1.5)
      }
      let lower = uniform() < 0.3 ? program.step * integer(in: 0...1) : 0
      let upper = uniform() < 0.3 ? Double(lower + integer(in: 0...6)) : .infinity
      units.append(
        SpectrumUnit(
          index: index, decreases: decreases.sorted(by: >),
          cost: equalCosts ? 3 : Double(integer(in: 2...40)), lower: Double(lower), upper: upper))
    }
    let floor = units.reduce(0) { $0 + $1.cost * $1.lower }
    program.budget = floor + Double(integer(in: 1...count * 40))
    return (program, units)
  }
}

/// The program solved again by trying everything.
struct SpectrumObjective {
  let program: SpectrumProgram
  let units: [SpectrumUnit]

  func cost(_ ranks: [Int]) -> Double {
    zip(units, ranks).reduce(0) { $0 + $1.0.cost * Double($1.1) }
  }

  func decrease(_ ranks: [Int]) -> Double {
    zip(units, ranks).reduce(0) { sum, pair in
      pair.0.decreases.prefix(pair.1).reduce(sum, +)
    }
  }

  func allowed(_ unit: SpectrumUnit) -> [Int] {
    (0...unit.decreases.count).filter {
      $0.isMultiple(of: program.step) && Double($0) >= unit.lower && Double($0) <= unit.upper
    }
  }

  /// The largest decrease over every choice within bounds and budget.
  func bestByEnumeration() -> Double {
    var best = -Double.infinity
    func visit(_ prefix: [Int], _ spent: Double) {
      guard spent <= program.budget else { return }
      guard prefix.count < units.count else {
        best = max(best, decrease(prefix))
        return
      }
      let unit = units[prefix.count]
      for rank in allowed(unit) { visit(prefix + [rank], spent + unit.cost * Double(rank)) }
    }
    visit([], 0)
    return best
  }

  /// The optimum if the last step may be bought in part: by sorting all steps that one unit could
  /// afford by their worth per cost.
  func relaxedBest() -> Double {
    let floors = units.map { allowed($0).first ?? 0 }
    var left = program.budget - cost(floors)
    var total = decrease(floors)
    var steps: [(value: Double, cost: Double)] = []
    for (unit, floor) in zip(units, floors) {
      let stepCost = unit.cost * Double(program.step)
      for rank in allowed(unit).dropFirst() {
        guard Double(rank - floor) * unit.cost <= left else { break }
        steps.append(
          (unit.decreases[rank - program.step..<rank].reduce(0, +), stepCost))
      }
    }
    for step in steps.sorted(by: { $0.value / $0.cost > $1.value / $1.cost }) {
      let part = min(1, left / step.cost)
      total += part * step.value
      left -= part * step.cost
      if part < 1 { break }
    }
    return total
  }
}
