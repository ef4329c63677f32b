internal import Checkpoints
internal import PlanFiles

/// The JSON of the paper's authors: a share per block.
///
/// `target_sparsity` and `computed_sparsity` are numbers of weights there, not ratios.
struct RhoDocument: Encodable {
  let price: Double?
  let shares: [Double]
  let target: Double
  let computed: Double
  let weights: Int
  let caps: [Double]

  enum CodingKeys: String, CodingKey {
    case price = "lambda"
    case shares = "rho_l"
    case target = "target_sparsity"
    case computed = "computed_sparsity"
    case weights = "total_params"
    case caps = "minmax"
  }

  static func export(
    _ planned: PlannedUnits, in checkpoint: Checkpoint?
  ) throws(ExportError) -> Exported {
    let blocks = try BlockSequence(planned, in: checkpoint)
    var shares: [Double] = []
    var computed = 0.0
    var total = 0
    for unit in blocks.units {
      guard let weights = unit.weights else {
        throw ExportError(
          "unit \"\(unit.name)\" does not say its weights, of which the format counts totals; add "
            + "\"weights\" to the plan")
      }
      let share = try planned.share(of: unit)
      shares.append(share)
      computed += share * Double(weights)
      total += weights
    }
    let document = RhoDocument(
      price: planned.plan.price, shares: shares, target: planned.plan.budget ?? computed,
      computed: computed, weights: total, caps: blocks.units.map { $0.upper ?? 1 })
    return Exported(
      text: try encoded(document), summary: "\(shares.count) shares",
      notes: planned.patternNote.map { [$0] } ?? [])
  }
}

extension PlannedUnits {
  /// For formats that only say shares.
  var patternNote: String? {
    units.contains { $0.pattern != nil }
      ? "the plan has patterns N:M, which this format cannot say; it says their shares" : nil
  }
}
