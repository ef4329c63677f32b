import Collectives
import TestSupport
import Testing

@testable import Allocation

@Suite("Where a rank's own units cross")
struct LocalCrossingTests {
  /// Σ of steps: each unit asks for `amount` up to its key and for nothing above.
  private struct StepDemand: DemandCurve {
    struct Unit: Sendable {
      let key: Int64
      let amount: Int128
    }
    func point(at key: Int64) -> Int64 { key }
    func term(of unit: Unit, at point: Int64) -> Int128 { point < unit.key ? unit.amount : 0 }
  }

  @Test("The common answer lies between the ranks' own, and is that of a rank alone")
  func betweenTheRanks() throws {
    try forEachCase(seed: 91, cases: 200) { generator, number in
      let ranks = generator.integer(in: 1...5)
      // Some steps are common to many units, some amounts nearly fill 128 bits.
      let amount: Int128 = number.isMultiple(of: 3) ? 1 << 110 : 1
      let slices = (0..<ranks).map { _ in
        (0..<generator.integer(in: 0...20)).map { _ in
          StepDemand.Unit(
            key: Int64(generator.integer(in: 1...(number.isMultiple(of: 2) ? 5 : 1_000_000))),
            amount: amount * Int128(generator.integer(in: 1...9)))
        }
      }
      let all = slices.flatMap { $0 }
      let whole = all.reduce(Int128(0)) { $0 + $1.amount }
      guard whole > 0 else { return }
      let target = Int128(generator.integer(in: 0...99)) * (whole / 100)
      let ends = (MeasuredPoint(key: 0, demand: whole), MeasuredPoint(key: 1_000_001, demand: 0))
      let crossing = LocalCrossing(lower: ends.0, upper: ends.1, target: target)
      let together = SlicedDemand(StepDemand(), units: all)
      let answer = try #require(crossing.keys(of: together).keys.first)
      let plain = all.map(\.key).sorted().first { key in
        all.reduce(Int128(0)) { $0 + (key < $1.key ? $1.amount : 0) } <= target
      }
      try require(answer == plain, "\(answer) instead of \(String(describing: plain))")
      let own = slices.compactMap { units in
        let demand = SlicedDemand(StepDemand(), units: units)
        return crossing.keys(of: demand).keys.first
      }
      // Rounding down takes less than one from each part, and demands are whole: the bounds are sharp.
      try require(
        own.min()! <= answer && answer <= own.max()!, "\(answer) is not within \(own)")
    }
  }

  @Test("Of few units a rank proposes every key at which its demand falls")
  func fallsOfFewUnits() throws {
    try forEachCase(seed: 92, cases: 200) { generator, number in
      let units = (0..<generator.integer(in: 1...24)).map { _ in
        StepDemand.Unit(
          key: Int64(generator.integer(in: 1...(number.isMultiple(of: 2) ? 9 : 1_000_000_000))),
          amount: Int128(generator.integer(in: 1...1000)))
      }
      let whole = units.reduce(Int128(0)) { $0 + $1.amount }
      let crossing = LocalCrossing(
        lower: MeasuredPoint(key: 0, demand: whole),
        upper: MeasuredPoint(key: 1_000_000_001, demand: 0), target: whole / 3)
      let demand = SlicedDemand(StepDemand(), units: units)
      let distinct = Set(units.map(\.key))
      let all = crossing.keys(of: demand, besides: units.count).keys
      try require(Set(all) == distinct && all.count == distinct.count, "\(all) of \(distinct)")
      // Of too few places the largest falls, and of more units than that none.
      let two = crossing.keys(of: demand, besides: 1).keys
      let most = units.count <= 8 ? min(distinct.count, 2) : 1
      try require(two.count == most && two[0] == all[0], "\(two) instead of \(most)")
    }
  }

  @Test("Proposals arrive as they were sent, each once")
  func proposalsTravel() {
    let keys: [Int64?] = [5, nil, 0, -OrderedKey.largestFinite - 1, 5, OrderedKey.largestFinite]
    let found = ThreadedCollective.run(ranks: keys.count) { world in
      let places = ProposedKeys(ranks: world.size, more: 2)
      let others: [Int64] = world.rank == 4 ? [7, 9] : [9]
      let own = keys[world.rank].map { key in [key] + others } ?? []
      var sums = places.outgoing(own, rank: world.rank)
      world.sum(&sums)
      return places.arrived(sums[...])
    }
    let parts = [-OrderedKey.largestFinite - 1, 0, 5, OrderedKey.largestFinite]
    #expect(found.allSatisfy { $0.parts == parts && $0.others == [7, 9] })
  }
}
