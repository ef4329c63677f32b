internal import Allocation
internal import Collectives
internal import Glibc

/// A random program with a direction in which its qualities drift.
struct RandomTransfer {
  private enum Program {
    case capacity(CapacityProgram, [CapacityUnit])
    case pruning(PruningProgram, [PruningUnit])
  }
  private let program: Program
  /// Per unit, −1 … 1; nil where the target gives no quality at all.
  private let directions: [Double?]
  /// The magnitude of the objective's terms, by which rounding is judged.
  let size: Double

  /// `isFree`: no bounds and no zero qualities, for the law of small drifts.
  init(_ kind: String, units most: Int, _ draws: inout RandomDraws, isFree: Bool = false) {
    let count = Int.random(in: (isFree ? 3 : 1)...max(most, 3), using: &draws)
    directions = (0..<count).map { _ in
      let direction = Double.random(in: -1...1, using: &draws)
      return !isFree && draws.happens(0.1) ? nil : direction
    }
    let qualities = (0..<count).map { _ in
      !isFree && draws.happens(0.1) ? 0 : draws.spread(isFree ? 0.2 : 1.5)
    }
    if kind == "capacity" || kind == "power" {
      let units = qualities.enumerated().map { index, quality in
        let lower = !isFree && draws.happens(0.3) ? Double(Int.random(in: 0...2, using: &draws)) : 0
        let upper =
          !isFree && draws.happens(0.3)
          ? lower + Double(Int.random(in: 0...6, using: &draws)) : .infinity
        return CapacityUnit(
          index: index, quality: quality, cost: draws.spread(0.7), lower: lower, upper: upper)
      }
      let floor = units.reduce(0) { $0 + $1.cost * $1.lower }
      var program = CapacityProgram(budget: floor + 8 * Double(count) * draws.spread(0.5))
      program.beta = isFree ? 1 : [0.5, 1, 2].randomElement(using: &draws) ?? 1
      if kind == "power" {
        program.utility = .power(
          [1e-6, 0.1, 0.5, 0.9, 0.99].randomElement(using: &draws) ?? 0.5)
      }
      program.spend = !isFree && draws.happens(0.5) ? .all : .asPriced
      self.program = .capacity(program, units)
      size = program.budget * 10
    } else {
      var program = PruningProgram(sparsity: Double.random(in: 0.2...0.7, using: &draws))
      program.psi = kind == "log" ? .log : .quadratic
      program.kappa = isFree ? 1 : [0.25, 0.5, 1, 2].randomElement(using: &draws) ?? 1
      program.damage = .perWeight
      let units = qualities.enumerated().map { index, quality in
        // Where the damage of everything is infinite no unit may be worth nothing.
        PruningUnit(
          index: index, quality: kind == "log" ? max(quality, 0.01) : quality,
          weights: Int(1000 * draws.spread(0.7)), lower: 0, upper: isFree ? 1 : 0.95)
      }
      self.program = .pruning(program, units)
      size = Double(units.reduce(0) { $0 + $1.weights }) * 100
    }
  }

  /// The regret of the plan for the qualities as they are on qualities that moved by up to `drift` of
  /// their size.
  func regret(drift: Double) throws -> TransferRegret {
    func moved(_ quality: Double, _ index: Int) -> Double {
      guard let direction = directions[index] else { return 0 }
      return max(quality + drift * direction * max(quality, 0.01), 0)
    }
    var search = PriceSearch(method: .accelerated)
    let world = SoloCollective()
    switch program {
    case .capacity(let program, let units):
      let target = units.map {
        CapacityUnit(
          index: $0.index, quality: moved($0.quality, $0.index), cost: $0.cost, lower: $0.lower,
          upper: $0.upper)
      }
      return try program.transferRegret(
        from: units, to: target, totalUnits: units.count, search: &search, over: world
      ).regret
    case .pruning(let program, let units):
      let target = units.map {
        PruningUnit(
          index: $0.index, quality: moved($0.quality, $0.index), weights: $0.weights,
          lower: $0.lower, upper: $0.upper)
      }
      return try program.transferRegret(
        from: units, to: target, totalUnits: units.count, search: &search, over: world
      ).regret
    }
  }
}

func decimalLogarithm(_ value: Double) -> Double { log10(value) }
