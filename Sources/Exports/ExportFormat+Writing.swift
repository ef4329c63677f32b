public import Checkpoints
public import PlanFiles

extension ExportFormat {
  /// The plan in this format. A pure function of plan, headers of the checkpoint and settings.
  ///
  /// - Throws: when the plan is of the other program, lacks what the format says, or names modules that
  ///   the checkpoint has not or the consumer would confuse.
  public func export(
    _ plan: PlanOutline, checkpoint: Checkpoint?, settings: ExportSettings
  ) throws(ExportError) -> Exported {
    try requireFitting(plan.program)
    var exported = try text(of: plan, checkpoint: checkpoint, settings: settings)
    if let counted = plan.parameters?.unit, let own = capacityUnit, counted != own {
      exported.notes.append(
        "the plan counts \(counted), which \(rawValue) takes for \(own); was it made for that? "
          + "layerbudget allocate --unit \(own) says so")
    }
    return exported
  }

  /// What a capacity plan must count for the format, as `--unit` names it; nil where any will do.
  private var capacityUnit: String? {
    switch self {
    case .peft: "rank"
    case .mola, .deepspeed: "slots"
    case .rho, .owl, .compressor, .evopress, .csv: nil
    }
  }

  private func text(
    of plan: PlanOutline, checkpoint: Checkpoint?, settings: ExportSettings
  ) throws(ExportError) -> Exported {
    let planned = try PlannedUnits(plan)
    func modules() throws(ExportError) -> ExportedModules {
      try ExportedModules(of: planned, in: checkpoint)
    }
    switch self {
    case .peft:
      return try PEFTAdapter.export(planned, try modules(), alphaPerRank: settings.alphaPerRank)
    case .mola:
      return try ExpertCounts(planned, in: checkpoint, intervals: false).mola(topK: settings.topK)
    case .deepspeed:
      let counts = try ExpertCounts(planned, in: checkpoint, intervals: true)
      return try settings.asConfiguration
        ? counts.deepspeedConfiguration() : counts.deepspeedArguments()
    case .rho: return try RhoDocument.export(planned, in: checkpoint)
    case .owl: return try OWLRatios.export(planned, try modules(), in: checkpoint)
    case .compressor:
      return try CompressorRecipe.export(planned, try modules(), with: settings.modifier)
    case .evopress:
      guard let database = settings.database else {
        throw ExportError(
          "levels are counted in steps of a database: give --level-step, its weights_diff")
      }
      return try EvoPressLevels.export(planned, try modules(), database)
    case .csv:
      if checkpoint != nil { _ = try modules() }
      return AnswerTable.export(planned)
    }
  }
}
