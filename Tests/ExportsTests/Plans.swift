import Exports
import Foundation
import PlanFiles

/// Plans as other scripts may write them: no more than what an export needs.
func plan(_ program: String, _ units: [String], extra: String = "") throws -> PlanOutline {
  let text =
    #"{"format":"layerbudget.plan/1","program":"\#(program)"\#(extra),"units":["#
    + units.joined(separator: ",") + "]}"
  return try DocumentCoding.decode(PlanOutline.self, from: Array(text.utf8), source: "plan.json")
}

func ranks(_ ranks: [(name: String, rank: Int)]) throws -> PlanOutline {
  try plan("capacity", ranks.map { #"{"name":"\#($0.name)","integer":\#($0.rank)}"# })
}

func removals(_ units: [(name: String, removed: Int, weights: Int)]) throws -> PlanOutline {
  try plan(
    "pruning",
    units.map { #"{"name":"\#($0.name)","integer":\#($0.removed),"weights":\#($0.weights)}"# },
    extra: #","parameters":{"sparsity":0.5}"#)
}

extension ExportFormat {
  func text(_ plan: PlanOutline, _ settings: ExportSettings = ExportSettings()) throws -> String {
    try export(plan, checkpoint: nil, settings: settings).text
  }
}

/// The message with which an export is refused.
func refusal(
  _ format: ExportFormat, _ plan: PlanOutline, _ settings: ExportSettings = ExportSettings()
) -> String {
  do throws(ExportError) {
    return "no error, but " + (try format.export(plan, checkpoint: nil, settings: settings).text)
  } catch {
    return error.description
  }
}

struct Adapter: Decodable {
  let rank: Int
  let alpha: Double
  let modules: [String]
  let parameters: [String]?
  let ranks: [String: Int]
  let alphas: [String: Double]

  enum CodingKeys: String, CodingKey {
    case rank = "r"
    case alpha = "lora_alpha"
    case modules = "target_modules"
    case parameters = "target_parameters"
    case ranks = "rank_pattern"
    case alphas = "alpha_pattern"
  }

  init(_ text: String) throws {
    self = try JSONDecoder().decode(Adapter.self, from: Data(text.utf8))
  }
}
