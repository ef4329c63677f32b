internal import Curvature
internal import PlanFiles
internal import TensorFiles

/// The gains of a unit in a journal.
struct GainRecord: JournalRecord, Equatable {
  let unit: ScoresDocument.Unit
  /// Changes with all that the unit's gains were computed from.
  let contents: String
  /// What each further rank is worth; nil unless the spectrum was asked for.
  let decreases: [Double]?

  var journalName: String { unit.name }
}

/// By what a unit's statistics are known.
struct UnitContents {
  /// Sum over the modules of the checksums of what is read.
  private(set) var checksum: UInt64 = 0
  /// Also of names, counts and conventions.
  private var facts: [String] = []

  mutating func add(_ module: ModuleStatistics, checksum: UInt64) {
    self.checksum &+= checksum
    facts.append("\(checksum) \(Statistics.conventions(of: module))")
  }

  /// Of the modules in the order in which they were added.
  var text: String { XXHash64.hash(Array(facts.joined(separator: " ").utf8)).hexadecimal }
}

extension StatisticsRequest {
  /// What decides the gains of a unit beside its own statistics.
  func journalBasis(_ statistics: Statistics) -> JournalBasis {
    var own = [
      "curvature": options.kind.rawValue, "damping": "\(options.damping)",
      "precision": options.precision.rawValue, "gain": options.effectiveRule.rawValue,
      "tokens_per_sample": "\(options.tokensPerSample)",
      "large_modules": options.largeFactors.rawValue, "spectrum": "\(options.wantsSpectrum)",
      "statistics_headers": statistics.headerFingerprint.hexadecimal,
    ]
    own.merge(JournalBasis.arithmetic) { _, new in new }
    return JournalBasis(records: "gains", options: own)
  }
}
