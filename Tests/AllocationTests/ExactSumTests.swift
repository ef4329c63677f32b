import Collectives
import TestSupport
import Testing

@testable import Allocation

@Suite("Exact sums and searches")
struct ExactSumTests {
  @Test("Keys number the doubles in order and give them back")
  func keysAreOrdered() throws {
    let values: [Double] = [
      -.greatestFiniteMagnitude, -1, -.leastNonzeroMagnitude, 0, .leastNonzeroMagnitude, 1,
      1.0.nextUp, .greatestFiniteMagnitude,
    ]
    for (low, high) in zip(values, values.dropFirst()) {
      #expect(OrderedKey.key(of: low) < OrderedKey.key(of: high))
    }
    for value in values { #expect(OrderedKey.value(of: OrderedKey.key(of: value)) == value) }
    #expect(OrderedKey.key(of: 1.0.nextUp) == OrderedKey.key(of: 1) + 1)
    #expect(OrderedKey.key(of: -0.0) == OrderedKey.key(of: 0.0))
  }

  @Test("A value survives fixed point and comes back in every bit")
  func fixedPointRoundTrip() throws {
    try forEachCase(seed: 21, cases: 5000) { generator, _ in
      let value = generator.spread(6) * (generator.uniform() < 0.5 ? -1 : 1)
      let scale = FixedPointScale(largest: max(abs(value) * 4, 1e-3), terms: 1000)
      try require(scale.value(scale.fixed(value)) == value, "\(value) changed")
    }
  }

  @Test("Fixed point is monotone, also where it rounds")
  func fixedPointIsMonotone() throws {
    let scale = FixedPointScale(largest: 0x1p100, terms: 1 << 20)
    try forEachCase(seed: 22, cases: 2000) { generator, _ in
      let a = generator.uniform(in: -100...100)
      let b = generator.uniform(in: -100...100)
      try require(
        (a <= b) == (scale.fixed(a) <= scale.fixed(b)) || scale.fixed(a) == scale.fixed(b),
        "\(a) and \(b) change places")
    }
  }

  @Test("A sum is rounded once: it equals the error-free sum of the same terms")
  func sumsAreRoundedOnce() throws {
    try forEachCase(seed: 23, cases: 300) { generator, _ in
      let terms = (0..<50).map { _ in
        generator.spread(4) * (generator.uniform() < 0.5 ? -1.0 : 1.0)
      }
      var search = PriceSearch(method: .bisection)
      let sum = search.exactSums([terms], totalTerms: terms.count, over: SoloCollective())[0]
      try require(sum == exactSum(terms), "\(sum) is not \(exactSum(terms))")
    }
  }

  @Test("The rounding of a conversion is to nearest, ties to even")
  func conversionRounding() {
    let scale = FixedPointScale(largest: 0x1p125, terms: 1)
    #expect(scale.exponent == 1)
    let unit = scale.value(1)
    let big = Int128(1) << 60
    #expect(scale.value(big + 128) == Double(1 << 60) * unit)
    #expect(scale.value(big + 129) == Double((1 << 60) + 256) * unit)
    #expect(scale.value(big + 384) == Double((1 << 60) + 512) * unit)
    #expect(scale.value(-(big + 129)) == -Double((1 << 60) + 256) * unit)
  }

  @Test("The median of values on several ranks is that of the sorted list", arguments: [1, 2, 5])
  func medians(ranks: Int) throws {
    try forEachCase(seed: 24, cases: 40) { generator, _ in
      let values = (0..<generator.integer(in: 1...30)).map { _ in
        Double(generator.integer(in: -3...3)) * generator.uniform()
      }
      let found = ThreadedCollective.run(ranks: ranks) { world in
        var search = PriceSearch(method: .accelerated)
        return search.median(of: slice(values, rank: world.rank, of: ranks), over: world)
      }
      let sorted = values.sorted()
      let middle = sorted.count / 2
      let expected =
        sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
      try require(found.allSatisfy { $0 == expected }, "\(found) is not \(expected)")
    }
  }

  @Test("A fill in unit order serves a prefix, then a part", arguments: [1, 3])
  func fillInUnitOrder(ranks: Int) throws {
    try forEachCase(seed: 25, cases: 60) { generator, _ in
      let amounts = (0..<generator.integer(in: 1...20)).map { _ in
        Int128(generator.integer(in: 1...9))
      }
      let available = Int128(generator.integer(in: 0...100))
      let shares = ThreadedCollective.run(ranks: ranks) { world in
        var search = PriceSearch(method: .multisection)
        let all = amounts.enumerated().map { FillCandidate(index: $0, amount: $1) }
        let cut = search.unitOrderCut(
          slice(all, rank: world.rank, of: ranks), available: available,
          totalUnits: amounts.count, over: world)
        return all.map(cut.share)
      }
      var left = available
      let expected = amounts.map { amount in
        defer { left -= min(amount, left) }
        return min(amount, left)
      }
      try require(shares.allSatisfy { $0 == expected }, "\(shares) is not \(expected)")
    }
  }

  @Test("Accelerated search needs few allreduces")
  func acceleratedIsFast() throws {
    try forEachCase(seed: 26, cases: 100) { generator, _ in
      let (program, units) = generator.capacityProgram(units: 30, equalCosts: false)
      let slow = try SolvedCapacity(program, units, method: .bisection)
      let fast = try SolvedCapacity(program, units, method: .accelerated)
      try require(fast.allreduces < slow.allreduces, "\(fast.allreduces) of \(slow.allreduces)")
    }
  }
}
