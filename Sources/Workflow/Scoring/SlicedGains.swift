internal import Curvature
internal import PlanFiles

/// The gain of one unit, as all later steps see it.
struct UnitGain: Codable, Sendable, Equatable {
  /// Position in the plan.
  let index: Int
  let unit: ScoresDocument.Unit
}

/// The gains that this rank owns, and where they come from. What follows does not care whether
/// they were just computed or read from a scores file.
struct SlicedGains: Sendable {
  /// This rank's units, ascending by index.
  var units: [UnitGain]
  let totalUnits: Int
  /// Curvature kind and damping, for the output.
  let curvature: String
  let damping: String
  /// Options of the gains as resolved, for the output.
  let parameters: [String: ParameterValue]
  var inputs: [String: InputFingerprint]
  /// What a reader of the output should know about the input.
  let notes: [String]
  let slice: RunDocument.Slice
  /// Wall time of computing the gains on this rank.
  let seconds: Double
  /// Of every unit in their order, the loss that each further rank takes away; nil unless the spectrum
  /// was asked for.
  var decreases: [[Double]]?
  /// What an earlier run had done.
  var resumption: Resumption?
  /// Where the units' weights are; nil without a checkpoint.
  var weights: OwnedWeights?
}
