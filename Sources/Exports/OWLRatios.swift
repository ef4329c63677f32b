internal import Checkpoints
internal import Curvature
internal import PlanFiles

/// A Python list with one pruning ratio per matrix, block after block.
///
/// Its readers walk over a block's linear modules in the order in which the model made them and take
/// the next ratio for each. That order is in no file; so ratios that differ inside a block are only
/// written where the order is customary.
enum OWLRatios {
  /// Llama, Mistral, Qwen, Gemma and others.
  private static let customary = [
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
  ]

  static func export(
    _ planned: PlannedUnits, _ modules: ExportedModules, in checkpoint: Checkpoint?
  ) throws(ExportError) -> Exported {
    try modules.requireModules("OWL")
    if checkpoint == nil { try requireModuleNames(planned) }
    var blocks: [Int: [(name: String, share: Double)]] = [:]
    var prefix: NaturalName?
    for module in modules.modules {
      guard let place = BlockSequence.place(in: module.name) else {
        throw ExportError(
          "module \"\(module.name)\" is in no numbered block, and OWL's list goes over blocks only; "
            + "leave it out with --exclude")
      }
      guard prefix == nil || prefix == place.before else {
        throw ExportError(
          "modules of \"\(prefix?.text ?? "")\" and of \"\(place.before.text)\" are not blocks of one "
            + "sequence; plan them apart with --include")
      }
      prefix = place.before
      let share = try planned.share(of: planned.units[module.unit])
      blocks[place.number, default: []].append((module.name, share))
    }

    var ratios: [Double] = []
    for number in 0..<blocks.count {
      guard let block = blocks[number] else {
        throw ExportError(
          "block \(number) has no module in the plan: blocks are missing, and a list cannot say which; "
            + "plan all of them")
      }
      guard block.count == blocks[0]?.count else {
        throw ExportError(
          "block \(number) has \(block.count) modules in the plan and block 0 has "
            + "\(blocks[0]?.count ?? 0); the list needs every linear module of every block")
      }
      ratios += try ordered(block).map(\.share)
    }
    return Exported(
      text: "[\(ratios.map { "\($0)" }.joined(separator: ", "))]\n",
      summary: "\(ratios.count) ratios, \(blocks.count) blocks of \(ratios.count / blocks.count)",
      notes: planned.patternNote.map { [$0] } ?? [])
  }

  /// A unit that is only named as a block does not say how many ratios it stands for.
  private static func requireModuleNames(_ planned: PlannedUnits) throws(ExportError) {
    for unit in planned.units where unit.modules == nil {
      let last = unit.name.split(separator: ".").last
      guard last.map({ Int($0) == nil }) ?? true else {
        throw ExportError(
          "unit \"\(unit.name)\" does not name its modules, and OWL's list has a ratio for each; give "
            + "--checkpoint DIR, which has them")
      }
    }
  }

  private static func ordered(
    _ block: [(name: String, share: Double)]
  ) throws(ExportError) -> [(name: String, share: Double)] {
    if Set(block.map(\.share)).count == 1 { return block }
    func rank(_ name: String) -> Int? {
      name.split(separator: ".").last.flatMap { customary.firstIndex(of: String($0)) }
    }
    let ranks = block.compactMap { rank($0.name) }
    guard ranks.count == block.count, Set(ranks).count == block.count else {
      throw ExportError(
        "the modules of the block of \"\(block[0].name)\" get different shares, and in which order its "
          + "model lists them is not known (known: \(customary.joined(separator: ", "))); plan with "
          + "--group-by block")
    }
    return zip(ranks, block).sorted { $0.0 < $1.0 }.map(\.1)
  }
}
