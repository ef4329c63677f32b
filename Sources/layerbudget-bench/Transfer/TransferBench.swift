internal import Allocation
internal import ArgumentParser
internal import Collectives
internal import FoundationEssentials

/// The regret of random plans on drifted qualities, beside its bounds (docs/theory/transfer.md).
struct TransferBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transfer",
    abstract: "Random programs and drifts: regret, its bounds, and the law of small drifts.")

  @Option(help: "Programs of each kind.")
  var cases = 2000

  @Option(help: "Units of a program, 1 to this many.")
  var units = 40

  @Option(help: "Seed of the draws.")
  var seed: UInt64 = 0

  func run() throws {
    var report: [String: KindReport] = [:]
    for kind in ["capacity", "power", "quadratic", "log"] {
      report[kind] = try KindReport(of: kind, cases: cases, units: units, seed: seed)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    print(String(decoding: try encoder.encode(report), as: UTF8.self))
  }
}

/// What the cases of one kind of program came to.
private struct KindReport: Encodable {
  var cases = 0
  /// Cases in which a number of the chain is above the next one by more than rounding.
  var violations = 0
  /// Ratios of neighbours in the chain, where the regret is not 0.
  let gapOverRegret: Quantiles
  let certificateOverGap: Quantiles
  let unboundedOverCertificate: Quantiles
  let boundOverUnbounded: Quantiles
  /// log10 R(δ) − log10 R(δ/10) for δ from 10⁻¹ down, where no bound becomes active in between.
  let slopes: [Quantiles]

  enum CodingKeys: String, CodingKey {
    case cases, violations, slopes
    case gapOverRegret = "gap_over_regret"
    case certificateOverGap = "certificate_over_gap"
    case unboundedOverCertificate = "unbounded_over_certificate"
    case boundOverUnbounded = "bound_over_unbounded"
  }

  init(of kind: String, cases: Int, units: Int, seed: UInt64) throws {
    var draws = RandomDraws(seed: seed)
    var ratios = [[Double]](repeating: [], count: 4)
    for _ in 0..<cases {
      let problem = RandomTransfer(kind, units: units, &draws)
      let drift = draws.spread(2)
      guard let regret = try? problem.regret(drift: drift) else { continue }
      self.cases += 1
      let chain = [
        regret.regret, regret.gap, regret.certificate, regret.unboundedCertificate, regret.bound,
      ]
      let pairs = Array(zip(chain, chain.dropFirst()))
      let rounding = 1e-13 * problem.size
      if pairs.contains(where: { $0 > $1 * (1 + 1e-9) + rounding }) { violations += 1 }
      guard regret.regret > rounding else { continue }
      for (index, pair) in pairs.enumerated() { ratios[index].append(pair.1 / pair.0) }
    }
    gapOverRegret = Quantiles(ratios[0])
    certificateOverGap = Quantiles(ratios[1])
    unboundedOverCertificate = Quantiles(ratios[2])
    boundOverUnbounded = Quantiles(ratios[3])

    var slopes = [[Double]](repeating: [], count: 4)
    for _ in 0..<cases / 10 {
      let problem = RandomTransfer(kind, units: units, &draws, isFree: true)
      let regrets = try (1...5).map { power in
        try problem.regret(drift: (0..<power).reduce(1.0) { size, _ in size / 10 }).regret
      }
      for (index, (large, small)) in zip(regrets, regrets.dropFirst()).enumerated()
      where small > 1e-16 * problem.size {
        slopes[index].append(large / small)
      }
    }
    self.slopes = slopes.map { Quantiles($0.map(decimalLogarithm)) }
  }
}

/// Smallest, quartiles and largest of some numbers; nothing of none.
private struct Quantiles: Encodable {
  let count: Int
  let smallest, quarter, median, threeQuarters, largest: Double?

  enum CodingKeys: String, CodingKey {
    case count, smallest, quarter, median, largest
    case threeQuarters = "three_quarters"
  }

  init(_ numbers: [Double]) {
    let sorted = numbers.filter(\.isFinite).sorted()
    func at(_ share: Double) -> Double? {
      sorted.isEmpty ? nil : sorted[Int(Double(sorted.count - 1) * share)]
    }
    count = sorted.count
    (smallest, quarter, median, threeQuarters, largest) = (
      at(0), at(0.25), at(0.5), at(0.75), at(1)
    )
  }
}
