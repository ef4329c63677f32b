internal import ArgumentParser
internal import Workflow

/// What is shared and what it costs.
struct CapacityOptions: ParsableArguments {
  @Option(help: "What units get.")
  var unit = CapacityKind.slots

  @Option(
    parsing: .unconditional,
    help: """
      Cost of one unit of capacity: a number, 'parameters', or CSV name,cost. By default 1, or what the \
      budget counts: an expert's bytes or parameters in --checkpoint, in + out of every module per rank.
      """, completion: .file())
  var cost: String?

  @Option(
    help: "Checkpoint folder that says what an expert or a rank takes, and --top-k.",
    completion: .directory)
  var checkpoint: String?

  @Option(
    help: "Nodes file (JSON) for a budget such as nodes:0.9; by default the nodes of the ranks.",
    completion: .file())
  var nodes: String?

  @Option(
    help:
      "Experts that a token is sent to; no unit with slots gets fewer (default: --checkpoint's).")
  var topK: Int?

  @Option(
    help: "CSV name,alpha,gamma of single units: alpha in place of --alpha, gamma times --gamma.",
    completion: .file())
  var program: String?

  @Option(help: "Bytes of a LoRA parameter, for a rank budget in bytes.")
  var bytesPerParameter = 2.0

  static let budgetHelp: ArgumentHelp = """
    160, 160 slots, "512 GiB", "40M parameters", "256 ranks", or nodes:0.9 for 90 % of the nodes' memory. \
    A plain number counts in the unit of the costs.
    """

  func measure(budget: String) throws -> CapacityMeasure {
    let cost = try costRequest()
    do throws(Failure) {
      var measure = CapacityMeasure(budget: try CapacityBudget(budget))
      measure.kind = unit
      measure.cost = cost
      measure.checkpoint = checkpoint
      measure.nodes = nodes
      measure.topK = topK
      measure.program = program
      measure.bytesPerParameter = bytesPerParameter
      try measure.validate()
      return measure
    } catch {
      throw ValidationError(error.message)
    }
  }

  private func costRequest() throws -> CostRequest {
    guard let cost else { return .automatic }
    if cost == "parameters" { return .parameters }
    guard let number = Double(cost) else { return .table(cost) }
    guard number > 0, number.isFinite else {
      throw ValidationError("--cost is \(cost), but must be positive and finite")
    }
    return .uniform(number)
  }
}
