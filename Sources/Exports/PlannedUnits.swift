internal import Curvature
public import PlanFiles

/// A plan's units in natural order, every name once, every answer within its range.
public struct PlannedUnits: Sendable {
  public let plan: PlanOutline
  public let units: [PlanOutline.Unit]

  /// - Throws: when there is no unit, a name comes twice, or an answer is not finite, negative, or a
  ///   share above 1.
  public init(_ plan: PlanOutline) throws(ExportError) {
    guard !plan.units.isEmpty else {
      throw ExportError("holds no unit; there is nothing to export")
    }
    var seen: Set<NaturalName> = []
    for unit in plan.units {
      guard seen.insert(NaturalName(unit.name)).inserted else {
        throw ExportError("unit \"\(unit.name)\" is listed twice; remove one of them")
      }
      try Self.check(unit, of: plan.program)
    }
    self.plan = plan
    units = plan.units.sorted { NaturalName($0.name) < NaturalName($1.name) }
  }

  private static func check(
    _ unit: PlanOutline.Unit, of program: PlanDocument.Program
  ) throws(ExportError) {
    if let x = unit.continuous {
      guard x.isFinite, x >= 0, program == .capacity || x <= 1 else {
        throw ExportError(
          "unit \"\(unit.name)\" has the answer \(x), but it must be finite and "
            + (program == .capacity ? "not negative" : "between 0 and 1"))
      }
    }
    if let whole = unit.integer, whole < 0 {
      throw ExportError("unit \"\(unit.name)\" has the whole number \(whole), which is negative")
    }
    if let weights = unit.weights, weights < max(unit.integer ?? 0, 1), program == .pruning {
      throw ExportError(
        "unit \"\(unit.name)\" removes \(unit.integer ?? 0) of \(weights) weights; there must be at "
          + "least one, and no fewer than are removed")
    }
    if let modules = unit.modules, modules.isEmpty {
      throw ExportError(
        "unit \"\(unit.name)\" has an empty list of modules; name them or leave it out")
    }
  }

  /// ρ of a unit: as planned, or by its whole number.
  func share(of unit: PlanOutline.Unit) throws(ExportError) -> Double {
    if let share = unit.continuous { return share }
    guard let removed = unit.integer, let weights = unit.weights else {
      throw ExportError(
        "unit \"\(unit.name)\" says no share: it needs \"continuous\", or \"integer\" and \"weights\""
      )
    }
    return Double(removed) / Double(weights)
  }

  /// The whole answer of a unit of capacity.
  func wholeCapacity(of unit: PlanOutline.Unit) throws(ExportError) -> Int {
    guard let whole = unit.integer else {
      throw ExportError(
        "unit \"\(unit.name)\" has no whole number; plan with layerbudget allocate --integer")
    }
    return whole
  }
}
