import Collectives

// RankedTests links to this file: the laws are the same for threads and for MPI.

/// What every implementation of `Collective` must do, checked by all of its ranks together.
///
/// Each rank draws every rank's contribution from the same seed, so it knows the right answer by
/// itself. Laws collect their violations instead of expecting, because they run on plain threads,
/// where the testing library cannot tell which test is running.
struct CollectiveLaws {
  var seed: UInt64 = 7
  /// Calls in `mixedRounds`.
  var rounds = 500
  /// Elements in `largeArrays`.
  var large = 100_000

  private(set) var violations: [String] = []

  init() {}

  /// Runs every law. Collective.
  mutating func check(_ world: borrowing some Collective & ~Copyable) {
    sums(world)
    totalsAlone(world)
    splitting(world)
    maxima(world)
    gathers(world)
    broadcasts(world)
    agreements(world)
    mixedRounds(world)
    largeArrays(world)
    world.barrier()
  }

  private mutating func expect(_ holds: Bool, _ law: @autoclosure () -> String) {
    if !holds { violations.append(law()) }
  }
}

// MARK: - Sum

extension CollectiveLaws {
  /// The sum is the serial sum, also of negative numbers.
  private mutating func sums(_ world: borrowing some Collective & ~Copyable) {
    for count in [0, 1, 2, 3, 17, 64, 1000] {
      var draws = SplitMix(seed: seed, stream: UInt64(count))
      let all = (0..<world.size).map { _ in (0..<count).map { _ in draws.int128() } }
      var values = all[world.rank]
      world.sum(&values)
      expect(values == Self.serialSum(all), "the sum of \(count) integers is the serial sum")
    }
  }

  /// Only the total must fit 128 bits: partial sums may leave them, in any order.
  private mutating func totalsAlone(_ world: borrowing some Collective & ~Copyable) {
    let (rank, size) = (world.rank, world.size)
    let step: Int128 = rank == 0 ? 0 : rank % 2 == 0 ? -1 : rank + 1 < size ? 1 : 0
    var values = rank == 0 ? [Int128.max, Int128.min] : [step, -step]
    world.sum(&values)
    expect(values == [.max, .min], "a total that fits is exact though partial sums do not fit")
  }

  /// However a list is split over ranks, its sum is the same.
  private mutating func splitting(_ world: borrowing some Collective & ~Copyable) {
    var draws = SplitMix(seed: seed, stream: 97)
    let list = (0..<97).map { _ in draws.int128() }
    var values: [Int128] = [0]
    for index in stride(from: world.rank, to: list.count, by: world.size) {
      values[0] += list[index]
    }
    world.sum(&values)
    expect(values == [list.reduce(0, +)], "the sum of a list does not depend on how it is split")
  }

  private static func serialSum(_ all: [[Int128]]) -> [Int128] {
    all.dropFirst().reduce(into: all[0]) { sums, values in
      for index in sums.indices { sums[index] += values[index] }
    }
  }
}

// MARK: - Maximum

extension CollectiveLaws {
  private mutating func maxima(_ world: borrowing some Collective & ~Copyable) {
    for count in [0, 1, 5, 333] {
      var draws = SplitMix(seed: seed, stream: UInt64(1000 + count))
      let all = (0..<world.size).map { _ in (0..<count).map { _ in draws.double() } }
      var values = all[world.rank]
      world.maximum(&values)
      let expected = (0..<count).map { index in all.map { $0[index] }.max() ?? 0 }
      expect(values == expected, "the maximum of \(count) doubles is the serial maximum")
    }

    // Bits, not values: -0.0 == 0.0.
    let smallest = -Double.leastNonzeroMagnitude
    var edges: [Double] = [
      -0.0, world.rank % 2 == 0 ? -0.0 : 0.0, world.rank % 2 == 0 ? 0.0 : -0.0,
      -.infinity, world.rank == world.size - 1 ? .infinity : 1, smallest,
    ]
    world.maximum(&edges)
    expect(
      edges.map(\.bitPattern)
        == [0.0, 0.0, 0.0, -.infinity, .infinity, smallest].map(\.bitPattern),
      "zeros come back as +0.0, infinities and tiny numbers as they are: \(edges)")
  }
}

// MARK: - Gather, broadcast, agreement

extension CollectiveLaws {
  private mutating func gathers(_ world: borrowing some Collective & ~Copyable) {
    for root in 0..<world.size {
      var draws = SplitMix(seed: seed, stream: UInt64(2000 + root))
      // Unequal lengths, some of them 0.
      let all = (0..<world.size).map { draws.bytes(count: (($0 + root) % 4) * 23) }
      let gathered = world.gather(all[world.rank], at: root)
      expect(
        gathered == (world.rank == root ? all : []),
        "gather at \(root) has every rank's bytes in rank order there, and nothing elsewhere")
    }
  }

  private mutating func broadcasts(_ world: borrowing some Collective & ~Copyable) {
    for root in 0..<world.size {
      for count in [0, 1, 1000] {
        var draws = SplitMix(seed: seed, stream: UInt64(3000 + root))
        let bytes = draws.bytes(count: count)
        let own = world.rank == root ? bytes : Array(repeating: 9, count: world.rank)
        expect(
          world.broadcast(own, from: root) == bytes, "\(count) bytes of rank \(root) reach all")
      }
    }
  }

  private mutating func agreements(_ world: borrowing some Collective & ~Copyable) {
    for failing in 0..<min(1 << world.size, 128) {
      let failed = { (rank: Int) in failing >> rank & 1 == 1 }
      let agreed = world.agree(
        on: failed(world.rank) ? "no file „\(world.rank)“" : nil, code: Int32(65 - 70 * world.rank))
      let expected = (0..<world.size).first(where: failed).map {
        AgreedFailure(
          rank: $0, code: Int32(65 - 70 * $0), message: "no file „\($0)“",
          failingRanks: failing.nonzeroBitCount)
      }
      expect(agreed == expected, "the lowest failing rank is reported: \(failing)")
    }
    let silent = world.agree(on: world.rank == world.size - 1 ? "" : nil, code: .min)
    expect(
      silent == AgreedFailure(rank: world.size - 1, code: .min, message: "", failingRanks: 1),
      "a failure without words is a failure")
  }
}

// MARK: - Many and much

extension CollectiveLaws {
  /// Calls of all kinds follow each other without a barrier, and none takes another's answer.
  private mutating func mixedRounds(_ world: borrowing some Collective & ~Copyable) {
    var draws = SplitMix(seed: seed, stream: 4000)
    for round in 0..<rounds {
      let root = Int(draws.next() % UInt64(world.size))
      let base = Int(draws.next() % 1000)
      switch draws.next() % 5 {
      case 0:
        var values = [Int128(base), Int128(-world.rank)]
        world.sum(&values)
        let total = world.size * (world.size - 1) / 2
        expect(values == [Int128(base * world.size), Int128(-total)], "round \(round): sum")
      case 1:
        var values = [Double(base + world.rank), Double(-base - world.rank)]
        world.maximum(&values)
        expect(
          values == [Double(base + world.size - 1), base == 0 ? 0 : Double(-base)],
          "round \(round): maximum")
      case 2:
        let gathered = world.gather(Array("\(base) \(world.rank)".utf8), at: root)
        let expected =
          world.rank == root ? (0..<world.size).map { Array("\(base) \($0)".utf8) } : []
        expect(gathered == expected, "round \(round): gather")
      case 3:
        let agreed = world.broadcast(Array("\(base) \(world.rank)".utf8), from: root)
        expect(agreed == Array("\(base) \(root)".utf8), "round \(round): broadcast")
      default:
        world.barrier()
      }
    }
  }

  private mutating func largeArrays(_ world: borrowing some Collective & ~Copyable) {
    let (rank, large) = (world.rank, large)
    var integers = (0..<large).map { Int128($0 &* (rank + 1)) << 60 }
    world.sum(&integers)
    let factor = world.size * (world.size + 1) / 2
    expect(
      integers.indices.allSatisfy { integers[$0] == Int128($0 * factor) << 60 },
      "a sum of \(large) integers is right everywhere")

    var doubles = (0..<large).map { $0 % world.size == rank ? Double($0) : -1 }
    world.maximum(&doubles)
    expect(
      doubles.indices.allSatisfy { doubles[$0] == Double($0) },
      "a maximum of \(large) doubles is right everywhere")

    var draws = SplitMix(seed: seed, stream: 5000)
    let all = (0..<world.size).map { _ in draws.bytes(count: large) }
    let last = world.size - 1
    let gathered = world.gather(all[rank], at: last)
    expect(gathered == (rank == last ? all : []), "\(large) bytes per rank are gathered")
    expect(world.broadcast(all[rank], from: last) == all[last], "\(large) bytes are broadcast")
  }
}

/// SplitMix64: a small generator whose numbers depend on its seed and stream alone.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64, stream: UInt64) {
    state = seed &* 0x9E37_79B9_7F4A_7C15 ^ stream
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// Any 120-bit integer, of either sign: 128 of them cannot overflow 128 bits.
  mutating func int128() -> Int128 {
    Int128(truncatingIfNeeded: UInt128(next()) << 64 | UInt128(next())) >> 8
  }

  /// Any finite double of either sign, from tiny to huge.
  mutating func double() -> Double {
    let magnitude = Double.random(in: -300...300, using: &self)
    return Double.random(in: -1...1, using: &self)
      * Double(sign: .plus, exponent: Int(magnitude), significand: 1)
  }

  mutating func bytes(count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}
