internal import Collectives
internal import PlanFiles

/// What capacity is counted in, what it costs, and under which budget.
public struct CapacityMeasure: Sendable {
  public var kind = CapacityKind.slots
  public var budget: CapacityBudget
  public var cost = CostRequest.automatic
  /// Hugging Face folder whose expert tensors or matrices say what capacity costs.
  public var checkpoint: String?
  /// Nodes and their memory for a budget `nodes:…`; without it the ranks' own nodes.
  public var nodes: String?
  /// Bytes of a LoRA parameter, for a rank budget in bytes.
  public var bytesPerParameter = 2.0
  /// Experts that a token is sent to: no unit with any slots gets fewer. Without it the checkpoint's
  /// configuration says it.
  public var topK: Int?
  /// CSV `name,alpha,gamma`: the program's numbers of single units.
  public var program: String?
  /// In the place of tables that are not at hand, as a plan holds their numbers.
  var known: (costs: UnitNumbers?, programs: UnitPrograms?)

  public init(budget: CapacityBudget) {
    self.budget = budget
  }

  /// Refuses what does not fit together before anything is read: `usage`.
  public func validate() throws(Failure) {
    _ = try rule()
    if let topK {
      guard topK >= 1, kind == .slots else {
        throw Failure(.usage, "--top-k is \(topK), but must be 1 or more, and is for --unit slots")
      }
    }
    guard bytesPerParameter > 0, bytesPerParameter.isFinite else {
      throw Failure(
        .usage, "--bytes-per-parameter is \(bytesPerParameter), but must be positive and finite")
    }
    if nodes != nil {
      guard case .nodeMemory = budget else {
        throw Failure(.usage, "--nodes is for a budget such as nodes:0.9")
      }
    }
  }

  /// What one unit of capacity costs, in the measure of the budget.
  ///
  /// - Throws: `usage` where budget and capacity do not fit each other, saying what is missing.
  func rule() throws(Failure) -> CostRule {
    let measure = budget.measure
    func refusal(_ problem: String) -> Failure {
      Failure(.usage, "--unit \(kind.rawValue) with a budget in \(measure.rawValue): \(problem)")
    }
    switch (kind, measure) {
    case (.slots, .ranks), (.bytes, .ranks), (.rank, .slots), (.bytes, .slots),
      (.bytes, .parameters):
      throw refusal("one does not buy the other; see layerbudget allocate --help")
    default: break
    }
    switch cost {
    case .uniform, .parameters, .table:
      guard measure != .slots, measure != .ranks else {
        throw refusal(
          "a budget in \(measure.rawValue) has costs of its own; give a plain number, in the unit of "
            + "--cost")
      }
      return .given(cost)
    case .automatic: break
    }
    switch (kind, measure) {
    case (.slots, .parameters), (.slots, .bytes):
      guard checkpoint != nil else {
        throw refusal(
          "what a slot takes must be known; give --checkpoint DIR, or --cost with a number or a table"
        )
      }
      return .expert(measure == .bytes ? .bytes : .parameters)
    case (.slots, _), (.bytes, _): return .given(.uniform(1))
    case (.rank, .parameters): return .adapter(perParameter: 1)
    case (.rank, .bytes): return .adapter(perParameter: bytesPerParameter)
    case (.rank, .ranks): return .modules
    case (.rank, _):
      throw refusal(
        "say what the number counts: \"… parameters\", \"… MB\" or \"… ranks\", or give --cost")
    }
  }

  /// B, in the unit of the costs. Collective where it is asked of the nodes.
  func amount(over world: borrowing some Collective & ~Copyable) throws(Failure) -> Double {
    switch budget {
    case .amount(let amount, _): return amount
    case .nodeMemory(let share):
      let bytes =
        if let nodes {
          try NodeList(path: nodes, over: world).nodes.map(\.memoryBytes)
        } else {
          try nodeMemories(over: world).map(\.bytes)
        }
      return (share * Double(bytes.reduce(0, +))).rounded(.down)
    }
  }

  /// The options as resolved, for the plan.
  func parameters(_ costs: UnitCosts) -> [String: ParameterValue] {
    var parameters: [String: ParameterValue] = [
      "unit": .text(kind.rawValue), "budget_unit": .text(budget.measure.rawValue),
      "cost": costs.parameter,
    ]
    if let topK = costs.topK { parameters["top_k"] = .number(Double(topK)) }
    if kind == .rank, budget.measure == .bytes {
      parameters["bytes_per_parameter"] = .number(bytesPerParameter)
    }
    if case .nodeMemory(let share) = budget { parameters["node_share"] = .number(share) }
    return parameters
  }
}

/// Cost of one unit of capacity, as asked for.
public enum CostRequest: Sendable, Equatable {
  /// What the kind of capacity and the budget say.
  case automatic
  case uniform(Double)
  /// The unit's parameter count.
  case parameters
  /// CSV `name,cost`.
  case table(String)
}

/// Cost of one unit of capacity, as resolved.
enum CostRule: Sendable, Equatable {
  case given(CostRequest)
  /// One routed expert of the unit, from the checkpoint.
  case expert(ExpertMeasure)
  /// One rank of every module: Σ (in + out) parameters.
  case adapter(perParameter: Double)
  /// One rank of every module, each module counting 1.
  case modules

  enum ExpertMeasure: Sendable { case bytes, parameters }
}
