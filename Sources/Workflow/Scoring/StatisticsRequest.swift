public import Curvature
internal import PlanFiles

/// What `score` needs to know, also when it runs inside allocate and prune.
public struct StatisticsRequest: Sendable {
  public var path: String
  public var options = GainOptions()
  public var selection = UnitSelection()
  /// Folder of the model's weights, for what depends on them.
  public var checkpoint: String?
  /// Where to note finished units; nil where a run does not go on from an earlier one.
  public var journal: JournalRequest?

  public init(path: String) {
    self.path = path
  }

  /// The options as resolved, for the output.
  var asParameters: [String: ParameterValue] {
    [
      "curvature": .text(options.kind.rawValue), "damping": .text("\(options.damping)"),
      "precision": .text(options.precision.rawValue), "gain": .text(options.effectiveRule.rawValue),
      "tokens_per_sample": .text("\(options.tokensPerSample)"),
      "large_modules": .text(options.largeFactors.rawValue),
      "group_by": .text("\(selection.grouping)"),
      "include": .text(selection.include ?? ""), "exclude": .text(selection.exclude ?? ""),
    ]
  }
}

/// Where the gains come from.
public enum GainSource: Sendable {
  /// Computed now from statistics.
  case statistics(StatisticsRequest)
  /// Read from a scores file: of `score`, or in a form in which other programs write scores. `names` is a
  /// file with names for values that have none.
  case scores(path: String, names: String? = nil)

  /// Where finished units are noted, of gains that are computed.
  var journal: JournalRequest? {
    guard case .statistics(let request) = self else { return nil }
    return request.journal
  }
}
