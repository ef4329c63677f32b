internal import PlanFiles

/// The database that levels are counted in: what its `prune.py` was started with.
public struct EvoPressDatabase: Sendable, Equatable {
  /// Sparsity of level 0; nil takes the plan's.
  public var sparsity: Double?
  /// Weights between two levels of a module (`weights_diff`).
  public var step: Int
  /// Levels above and below 0, at most (`num_levels`).
  public var levels: Int

  public init(sparsity: Double?, step: Int, levels: Int) {
    self.sparsity = sparsity
    self.step = step
    self.levels = levels
  }
}

/// `module: level` lines for EvoPress.
///
/// Level l of a module with n weights removes s·n + l·step of them, s the database's sparsity. A plan's
/// removals lie between levels; each is rounded to one of its two neighbours, by largest remainders, so
/// that the total is the largest multiple of the step that is not above the plan's.
enum EvoPressLevels {
  /// A module's place between levels, in steps from level 0.
  private struct Place {
    let name: String
    let exact: Double
    let largest: Int
    var level: Int
  }

  static func export(
    _ planned: PlannedUnits, _ modules: ExportedModules, _ database: EvoPressDatabase
  ) throws(ExportError) -> Exported {
    try modules.requireModules("EvoPress")
    guard let sparsity = database.sparsity ?? planned.plan.parameters?.sparsity else {
      throw ExportError(
        "does not say its sparsity, which level 0 of the database stands for; give --level-sparsity"
      )
    }
    guard sparsity > 0, sparsity < 1 else {
      throw ExportError(
        "the database's sparsity is \(sparsity), but must be between 0 and 1; give --level-sparsity"
      )
    }
    var places: [Place] = []
    for module in modules.modules {
      places.append(try place(module, planned, database, sparsity))
    }

    // Each at its lower neighbour, then upwards in the order of what is missing to the upper one.
    let wanted = Int((places.reduce(0) { $0 + $1.exact } + 1e-6).rounded(.down))
    var left = wanted - places.reduce(0) { $0 + $1.level }
    let order = places.indices.sorted { first, second in
      let (a, b) = (missing(places[first]), missing(places[second]))
      return a == b ? first < second : a > b
    }
    for index in order where left > 0 && places[index].level < places[index].largest {
      places[index].level += 1
      left -= 1
    }
    let removed = places.reduce(0) { $0 + $1.level }
    return Exported(
      text: places.map { "\($0.name): \($0.level)\n" }.joined(),
      summary: "\(places.count) modules, levels \(places.map(\.level).min() ?? 0) to "
        + "\(places.map(\.level).max() ?? 0) of \(database.step) weights, \(removed) in sum",
      notes: planned.patternNote.map { [$0] } ?? [])
  }

  private static func missing(_ place: Place) -> Double { place.exact - Double(place.level) }

  private static func place(
    _ module: ExportedModule, _ planned: PlannedUnits, _ database: EvoPressDatabase,
    _ sparsity: Double
  ) throws(ExportError) -> Place {
    let unit = planned.units[module.unit]
    guard !module.name.contains(":"), !module.name.contains("\n") else {
      throw ExportError(
        "module \"\(module.name)\": a name with a colon cannot be written in a line")
    }
    let isAlone = (unit.modules?.count ?? 1) == 1
    guard let weights = module.weights ?? (isAlone ? unit.weights : nil) else {
      throw ExportError(
        "unit \"\(unit.name)\" does not say how many weights each module has, which levels are counted "
          + "in; give --checkpoint DIR, or plan with --group-by module")
    }
    let share: Double
    if let removed = unit.integer, let all = unit.weights {
      share = Double(removed) / Double(all)
    } else {
      share = try planned.share(of: unit)
    }
    let count = Double(weights)
    // Levels there are, by the database's own arithmetic.
    let step = Double(database.step) / count
    let lowest = -min(flooredQuotient(sparsity, step), database.levels)
    let largest = min(flooredQuotient(1 - sparsity, step), database.levels)
    var exact = (share - sparsity) / step
    if abs(exact - exact.rounded()) < 1e-6 { exact = exact.rounded() }
    guard exact >= Double(lowest), exact <= Double(largest) else {
      throw ExportError(
        "module \"\(module.name)\" loses \(share) of its weights, but the database's levels reach from "
          + "\(sparsity + Double(lowest) * step) to \(sparsity + Double(largest) * step); plan with "
          + "--min and --max, or make a database with more levels")
    }
    return Place(
      name: module.name, exact: exact, largest: largest, level: Int(exact.rounded(.down)))
  }

  /// Python's `//`: the floor of the true quotient.
  private static func flooredQuotient(_ dividend: Double, _ divisor: Double) -> Int {
    let rest = dividend.truncatingRemainder(dividingBy: divisor)
    return Int(((dividend - rest) / divisor).rounded())
  }
}
