internal import PlanFiles

/// What a plan was made from, as far as it is at hand.
public struct VerificationInputs: Sendable {
  public var scores: String?
  public var scoreNames: String?
  public var statistics: String?
  public var checkpoint: String?
  public var bounds: String?
  public var costs: String?
  public var program: String?
  public var nodes: String?

  public init() {}

  /// A file by the option that gives it and the key that it has among a plan's inputs.
  struct Named {
    let option: String
    let key: String
    let path: String?
    /// Whether the plan holds all of its numbers that made it.
    let isInPlan: Bool
  }

  var all: [Named] {
    [
      Named(option: "--scores FILE", key: "scores", path: scores, isInPlan: false),
      Named(option: "--score-names FILE", key: "score_names", path: scoreNames, isInPlan: false),
      Named(option: "--statistics PATH", key: "statistics", path: statistics, isInPlan: false),
      Named(option: "--checkpoint DIR", key: "checkpoint", path: checkpoint, isInPlan: false),
      Named(option: "--bounds FILE", key: "bounds", path: bounds, isInPlan: true),
      Named(option: "--costs FILE", key: "costs", path: costs, isInPlan: true),
      Named(option: "--program FILE", key: "program", path: program, isInPlan: true),
      Named(option: "--nodes FILE", key: "nodes", path: nodes, isInPlan: true),
    ]
  }

  /// The inputs without which the plan cannot be made again.
  ///
  /// - Throws: `usage` for a file that the plan was not made from. Scores may always be given: their
  ///   gains are compared where the plan was made from statistics.
  func missing(for plan: PlanDocument) throws(Failure) -> [Named] {
    for input in all where input.path != nil && plan.inputs[input.key] == nil {
      guard input.key != "scores" else { continue }
      throw Failure(
        .usage,
        "\(input.option): the plan was made without it, from "
          + "\(plan.inputs.keys.sorted().joined(separator: ", ")); leave it out")
    }
    return all.filter { $0.path == nil && plan.inputs[$0.key] != nil && !$0.isInPlan }
  }
}
