import Allocation
import Foundation
import TestSupport
import Testing

@Suite("Pruning program")
struct PruningLawTests {
  @Test("Ranks and search methods do not change a bit of the answer")
  func ranksDoNotMatter() throws {
    try forEachCase(seed: 11, cases: 60) { generator, _ in
      let (program, units) = generator.pruningProgram(
        units: generator.integer(in: 1...40), weights: 10...100_000)
      let reference = try SolvedPruning(program, units)
      for method in PriceSearch.Method.allCases {
        for ranks in [1, 2, 3, 4, 7] {
          let other = try SolvedPruning(program, units, ranks: ranks, method: method)
          try require(other == reference, "\(method) on \(ranks) ranks differs for \(program)")
        }
      }
    }
  }

  @Test("Whole numbers add up to the target, stay within bounds and within one of the share")
  func wholeNumbers() throws {
    try forEachCase(seed: 12, cases: 400) { generator, _ in
      let (program, units) = generator.pruningProgram(
        units: generator.integer(in: 1...30), weights: 50...5000)
      let solved = try SolvedPruning(program, units)
      try require(
        solved.integers.reduce(0, +) == solved.target, "sum is not \(solved.target)")
      let total = units.reduce(0) { $0 + $1.weights }
      let exact = (program.sparsity * Double(total)).rounded()
      // Bounds in whole numbers can lie up to one weight per unit inside the real ones.
      try require(abs(Double(solved.target) - exact) <= Double(units.count), "target off")
      for (unit, (count, share)) in zip(units, zip(solved.integers, solved.continuous)) {
        let weights = Double(unit.weights)
        try require(Double(count) <= weights * unit.upper, "above the bound: \(count) of \(unit)")
        try require(Double(count) >= weights * unit.lower, "below the bound: \(count) of \(unit)")
        guard hasNeighbours(units, solved) else { continue }
        try require(
          abs(Double(count) - weights * share) < 1, "\(count) is not next to \(weights * share)")
      }
    }
  }

  @Test("The certificate closes and the next smaller mu would miss the target")
  func certificateCloses() throws {
    try forEachCase(seed: 13, cases: 300) { generator, _ in
      let (program, units) = generator.pruningProgram(
        units: generator.integer(in: 1...30), weights: 100...100_000)
      let solved = try SolvedPruning(program, units)
      let certificate = solved.certificate
      // A share near 1 holds 1 − ρ only to ulp/(1 − ρ), and the log's slope is 1/(1 − ρ).
      let closest = solved.continuous.filter { $0 < 1 }.max() ?? 0
      // A depth prior can cancel most of μ, so that one step of μ is a large step of μ + τ d.
      let rounding = program.psi == .log ? 0x1p-50 / (1 - closest) : 0x1p-46
      let cancelled = program.depthPrior == 0 ? 1e-12 : 1e-9
      try require(certificate.kktResidual < max(rounding, cancelled), "KKT: \(certificate)")
      try require(
        abs(certificate.gap) <= 1e-10 * max(abs(certificate.primal), 1), "gap: \(certificate)")
      let mu = Double(bitPattern: solved.mu)
      guard units.allSatisfy({ $0.quality > 0 }) else { return }
      let below = excess(program, units, mu: mu.nextDown, over: solved.target)
      try require(below < 0, "at \(mu.nextDown) the target is already met, by \(below)")
      let at = excess(program, units, mu: mu, over: solved.target)
      try require(at >= 0, "at \(mu) the target is missed by \(-at)")
    }
  }

  @Test("The demand does not fall when mu rises, double by double")
  func demandIsMonotone() throws {
    try forEachCase(seed: 14, cases: 200) { generator, _ in
      let (program, units) = generator.pruningProgram(
        units: generator.integer(in: 1...10), weights: 10...100_000)
      var mu = generator.spread(3)
      var last = excess(program, units, mu: mu, over: 0)
      for _ in 0..<200 {
        mu = mu.nextUp
        let next = excess(program, units, mu: mu, over: 0)
        try require(next >= last, "at \(mu) the demand falls from \(last) to \(next)")
        last = next
      }
    }
  }

  @Test("No feasible whole-number plan of small problems is better than the dual bound")
  func dualBoundHolds() throws {
    try forEachCase(seed: 15, cases: 40) { generator, _ in
      var (program, units) = generator.pruningProgram(
        units: generator.integer(in: 1...4), weights: 3...9)
      program.depthPrior = 0
      guard let solved = try? SolvedPruning(program, units) else { return }
      var best = Double.infinity
      func visit(_ prefix: [Int], _ left: Int) {
        guard prefix.count < units.count else {
          if left == 0 { best = min(best, objective(program, units, prefix)) }
          return
        }
        let unit = units[prefix.count]
        for count in 0...unit.weights where count <= left {
          let share = Double(count) / Double(unit.weights)
          if share < unit.lower || share > unit.upper { continue }
          visit(prefix + [count], left - count)
        }
      }
      visit([], solved.target)
      guard best.isFinite else { return }
      let size = max(abs(best), 1)
      try require(
        best >= solved.certificate.dual - 1e-10 * size,
        "enumeration finds \(best) below the dual \(solved.certificate.dual)")
      let ours = objective(program, units, solved.integers)
      try require(ours >= best - 1e-10 * size, "ours \(ours) beats the best \(best)?")
    }
  }

  @Test("Units of zero quality are pruned to their cap first and share what is missing")
  func zeroQuality() throws {
    let program = PruningProgram(sparsity: 0.25)
    let units = [
      PruningUnit(index: 0, quality: 1, weights: 100, lower: 0, upper: 1),
      PruningUnit(index: 1, quality: 0, weights: 100, lower: 0, upper: 0.5),
      PruningUnit(index: 2, quality: 0, weights: 100, lower: 0, upper: 1),
      PruningUnit(index: 3, quality: 2, weights: 100, lower: 0, upper: 1),
    ]
    let solved = try SolvedPruning(program, units, ranks: 3)
    #expect(solved.continuous == [0, 0.5, 0.5, 0])
    #expect(solved.integers == [0, 50, 50, 0])
  }

  /// Whether some choice of the whole numbers next to every n ρ, within the bounds, adds up to S.
  private func hasNeighbours(_ units: [PruningUnit], _ solved: SolvedPruning) -> Bool {
    var (least, most) = (0, 0)
    for (unit, share) in zip(units, solved.continuous) {
      let (n, wanted) = (Double(unit.weights), Double(unit.weights) * share)
      least += max(Int(wanted.rounded(.down)), Int((n * unit.lower).rounded(.up)))
      most += min(Int(wanted.rounded(.up)), Int((n * unit.upper).rounded(.down)))
    }
    return (least...max(least, most)).contains(solved.target)
  }

  /// Σ n ρ(μ) − target from the paper's formula.
  private func excess(
    _ program: PruningProgram, _ units: [PruningUnit], mu: Double, over target: Int
  ) -> Double {
    exactSum(
      units.enumerated().map { position, unit in
        let n = Double(unit.weights)
        let w = program.damage == .perWeight ? n : 1
        let resistance = program.eta * pow(unit.quality, program.kappa) * w
        let count = Double(units.count)
        let depth = units.count > 1 ? ((count - 1) / 2 - Double(position)) / (count - 1) : 0
        let drive = mu + (program.depthPrior == 0 ? 0 : program.depthPrior * depth)
        guard resistance > 0 else { return n * (drive >= 0 ? unit.upper : unit.lower) }
        let wanted: Double
        switch program.psi {
        case .quadratic: wanted = drive * n / (2 * resistance)
        case .log: wanted = drive > 0 ? 1 - resistance / (drive * n) : -1
        }
        return n * min(max(wanted, unit.lower), unit.upper)
      } + [-Double(target)])
  }

  private func objective(
    _ program: PruningProgram, _ units: [PruningUnit], _ counts: [Int]
  ) -> Double {
    zip(units, counts).reduce(0) { sum, pair in
      let n = Double(pair.0.weights)
      let share = Double(pair.1) / n
      let w = program.damage == .perWeight ? n : 1
      let psi = program.psi == .quadratic ? share * share : -log(1 - min(share, 1 - 0x1p-53))
      return sum - program.b * n * share
        + program.eta * pow(pair.0.quality, program.kappa) * w * psi
    }
  }
}
