/// Modules whose dense factors are above the limit, and what the rule does with them.
public struct LargeModules: Sendable {
  /// The units without the modules that were left out; a unit that lost all of its is gone.
  public let units: [ModuleUnit]
  /// Sentences on what was left out or made diagonal.
  public let notes: [String]

  /// Under `error` nothing is left out: reading the factor is the error.
  public init(of units: [ModuleUnit], under options: GainOptions) throws(CurvatureError) {
    func isLarge(_ module: ModuleStatistics) -> Bool {
      !module.largeFactors(for: options.kind).isEmpty
    }
    let names = units.flatMap(\.modules).filter(isLarge).map(\.name)
    guard !names.isEmpty, options.largeFactors != .error else {
      self.units = units
      notes = []
      return
    }
    let which =
      "\(names.count) module\(names.count == 1 ? "" : "s") with a factor of an order above "
      + "\(GainOptions.largestFactor): \(names.prefix(5).joined(separator: ", "))"
      + (names.count > 5 ? ", ..." : "")
    guard options.largeFactors == .skip else {
      self.units = units
      notes = ["only the diagonal of it is used in \(which)"]
      return
    }
    self.units = units.compactMap { unit in
      let kept = unit.modules.filter { !isLarge($0) }
      return kept.isEmpty ? nil : ModuleUnit(name: unit.name, modules: kept)
    }
    notes = ["left out \(which); --large-modules diagonal would use them"]
    guard !self.units.isEmpty else {
      throw .statistics(
        "no module is left: all have a factor of an order above \(GainOptions.largestFactor); use "
          + "--large-modules diagonal")
    }
  }
}
