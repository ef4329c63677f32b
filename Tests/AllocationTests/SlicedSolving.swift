import Collectives

@testable import Allocation

/// Units dealt out to ranks like cards, so that every rank's slice interleaves with the others'.
func slice<Unit>(_ units: [Unit], rank: Int, of ranks: Int) -> [Unit] {
  stride(from: rank, to: units.count, by: ranks).map { units[$0] }
}

/// Puts the ranks' parts back into unit order.
func merge<Value>(_ parts: [[Value]], count: Int) -> [Value] {
  (0..<count).map { parts[$0 % parts.count][$0 / parts.count] }
}

/// The allreduces of a price, as each rank counts them.
func allreduces(
  _ program: CapacityProgram, _ units: [CapacityUnit], ranks: Int
) -> [Int] {
  ThreadedCollective.run(ranks: ranks) { world in
    let own = slice(units, rank: world.rank, of: ranks)
    var columns = CapacityColumns(program, count: own.count) { own[$0] }
    var search = PriceSearch(method: .accelerated)
    do throws(AllocationError) {
      _ = try columns.price(totalUnits: units.count, search: &search, over: world)
    } catch { preconditionFailure("\(error)") }
    return search.allreduces
  }
}

/// A capacity program solved on several ranks of one process.
struct SolvedCapacity: Equatable {
  let price: UInt64
  let gamma: UInt64
  let capacities: [UInt64]
  let integers: [Int]?
  let certificate: Certificate
  let spent: Double
  let allreduces: Int

  var continuous: [Double] { capacities.map(Double.init(bitPattern:)) }
  var lambda: Double { Double(bitPattern: price) }

  init(
    _ program: CapacityProgram, _ units: [CapacityUnit], ranks: Int = 1,
    method: PriceSearch.Method = .accelerated, integers: Bool = false
  ) throws(AllocationError) {
    let results = ThreadedCollective.run(ranks: ranks) { world in
      Result { () throws(AllocationError) in
        var search = PriceSearch(method: method)
        let solution = try program.solve(
          slice(units, rank: world.rank, of: ranks), totalUnits: units.count,
          wholeNumbers: integers, search: &search, over: world)
        return (solution, search.allreduces)
      }
    }
    var parts: [(CapacitySolution, Int)] = []
    for result in results { parts.append(try result.get()) }
    let first = parts[0].0
    price = first.price.bitPattern
    gamma = first.gamma.bitPattern
    capacities = merge(parts.map { $0.0.continuous.map(\.bitPattern) }, count: units.count)
    self.integers =
      integers ? merge(parts.map { $0.0.integer?.values ?? [] }, count: units.count) : nil
    certificate = first.certificate
    spent = first.spent
    allreduces = parts[0].1
  }

  /// Equal in every bit of the answer; the number of allreduces may differ.
  static func == (left: SolvedCapacity, right: SolvedCapacity) -> Bool {
    left.price == right.price && left.gamma == right.gamma && left.capacities == right.capacities
      && left.integers == right.integers && left.certificate == right.certificate
  }
}

/// A pruning program solved on several ranks of one process.
struct SolvedPruning: Equatable {
  let mu: UInt64
  let shares: [UInt64]
  let integers: [Int]
  let target: Int
  let certificate: Certificate

  var continuous: [Double] { shares.map(Double.init(bitPattern:)) }

  init(
    _ program: PruningProgram, _ units: [PruningUnit], ranks: Int = 1,
    method: PriceSearch.Method = .accelerated
  ) throws(AllocationError) {
    let results = ThreadedCollective.run(ranks: ranks) { world in
      Result { () throws(AllocationError) in
        var search = PriceSearch(method: method)
        return try program.solve(
          slice(units, rank: world.rank, of: ranks), totalUnits: units.count, search: &search,
          over: world)
      }
    }
    var parts: [PruningSolution] = []
    for result in results { parts.append(try result.get()) }
    mu = parts[0].mu.bitPattern
    shares = merge(parts.map { $0.continuous.map(\.bitPattern) }, count: units.count)
    integers = merge(parts.map(\.integers), count: units.count)
    target = parts[0].target
    certificate = parts[0].certificate
  }
}
