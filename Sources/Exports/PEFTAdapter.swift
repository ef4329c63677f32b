internal import Curvature
internal import PlanFiles

/// A LoRA configuration for peft: `adapter_config.json` with a rank of its own for every module.
///
/// peft takes the first key of `rank_pattern` for which `(.*\.)?(key)$` matches a module's name, and an
/// entry of `target_modules` that equals the name or its end after a dot. So keys are whole names with
/// everything escaped that means something in a pattern, and no name may be the end of another. Modules
/// of rank 0 are not targeted: peft knows no rank 0.
struct PEFTAdapter: Encodable {
  let type = "LORA"
  let task = "CAUSAL_LM"
  /// The largest rank: what a server must be able to hold.
  let rank: Int
  let alpha: Double
  let targetModules: [String]
  /// Experts that are slices of one tensor get their rank through it.
  let targetParameters: [String]?
  let rankPattern: [String: Int]
  let alphaPattern: [String: Double]

  enum CodingKeys: String, CodingKey {
    case type = "peft_type"
    case task = "task_type"
    case rank = "r"
    case alpha = "lora_alpha"
    case targetModules = "target_modules"
    case targetParameters = "target_parameters"
    case rankPattern = "rank_pattern"
    case alphaPattern = "alpha_pattern"
  }

  static func export(
    _ planned: PlannedUnits, _ modules: ExportedModules, alphaPerRank: Double
  ) throws(ExportError) -> Exported {
    // 1. A rank per module, or per tensor of fused experts.
    var targets: [Target] = []
    var places: [NaturalName: Int] = [:]
    for module in modules.modules {
      let unit = planned.units[module.unit]
      let own = Target(module, rank: try planned.wholeCapacity(of: unit))
      let key = NaturalName(own.key)
      guard let place = places[key] else {
        places[key] = targets.count
        targets.append(own)
        continue
      }
      guard targets[place].rank == own.rank else {
        throw ExportError(
          "experts of \"\(own.name)\" get the ranks \(targets[place].rank) and \(own.rank), but they are "
            + "slices of one tensor, and peft gives a tensor one rank; plan with --group-by block or "
            + "module and one unit for all experts of a layer")
      }
    }
    let ranked = targets.filter { $0.rank > 0 }
    guard let largest = ranked.map(\.rank).max(), let smallest = ranked.map(\.rank).min() else {
      throw ExportError("no module gets a rank above 0; there is nothing to adapt")
    }

    // 2. The configuration. Keys of a JSON object are equal where they only look so.
    var ranks: [String: Int] = [:]
    for target in ranked where ranks.updateValue(target.rank, forKey: target.key) != nil {
      throw ExportError(
        "module \"\(target.name)\" has a twin whose name looks the same in other bytes; rename one")
    }
    let adapter = PEFTAdapter(
      rank: largest, alpha: alphaPerRank * Double(largest),
      targetModules: ranked.filter { !$0.isParameter }.map(\.name),
      targetParameters: ranked.contains { $0.isParameter }
        ? ranked.filter(\.isParameter).map(\.name) : nil,
      rankPattern: ranks, alphaPattern: ranks.mapValues { alphaPerRank * Double($0) })
    let without = targets.count - ranked.count
    return Exported(
      text: try encoded(adapter),
      summary: "LoRA of \(ranked.count) modules, ranks \(smallest) to \(largest)"
        + (without > 0 ? ", \(without) without" : ""),
      notes: notes(of: ranked))
  }

  private struct Target {
    let name: String
    let key: String
    let rank: Int
    let isParameter: Bool
    let shape: [Int]?

    init(_ module: ExportedModule, rank: Int) {
      name = module.fused ?? module.name
      key = ExactPattern.escaped(name)
      self.rank = rank
      isParameter = module.fused != nil
      shape = module.shape
    }
  }

  private static func notes(of targets: [Target]) -> [String] {
    let full = targets.filter { target in
      target.shape.map { target.rank > ($0.min() ?? 0) } ?? false
    }
    var notes: [String] = []
    if let first = full.first {
      notes.append(
        "\(full.count) module\(full.count == 1 ? "" : "s") get a rank above the matrix's own, such as "
          + "\(first.name): rank \(first.rank) of \(first.shape ?? []); bound ranks with --bounds or --max"
      )
    }
    if targets.contains(where: \.isParameter) {
      notes.append(
        "experts that are slices of one tensor are target_parameters, which needs peft 0.17 or newer; each "
          + "expert has the rank (peft 0.21 warns that such keys match no module, and uses them)")
    }
    return notes
  }
}

/// A document as JSON text.
func encoded(_ document: some Encodable) throws(ExportError) -> String {
  do throws(PlanFileError) {
    return String(decoding: try DocumentCoding.encode(document), as: UTF8.self)
  } catch {
    throw ExportError("\(error)")
  }
}
