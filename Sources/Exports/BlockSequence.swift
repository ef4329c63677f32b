internal import Checkpoints
internal import Curvature
internal import PlanFiles

/// Units as the blocks of a model, for lists in which the position is the only name.
struct BlockSequence {
  /// What stands before and after a name's first number.
  struct Place: Hashable {
    let before: NaturalName
    let number: Int
    let after: NaturalName
  }

  /// Units in the order of their numbers.
  let units: [PlanOutline.Unit]
  /// The numbers are `interval − 1, 2 · interval − 1, …`; 1 where every block has a unit.
  let interval: Int

  /// - Parameter intervals: whether only every second, third, … block may have a unit.
  /// - Throws: when a unit is no block, numbers are missing, or the checkpoint has other blocks.
  init(
    _ planned: PlannedUnits, in checkpoint: Checkpoint?, intervals: Bool = false
  ) throws(ExportError) {
    var numbered: [(number: Int, unit: PlanOutline.Unit)] = []
    var first: Place?
    for unit in planned.units {
      guard let place = Self.place(in: unit.name) else {
        throw ExportError(
          "unit \"\(unit.name)\" is no block: the format is a list with one value per block, so units "
            + "must be named like model.layers.3; plan with --group-by block and leave others out with "
            + "--exclude")
      }
      if let first, first.before != place.before || first.after != place.after {
        throw ExportError(
          "units \"\(planned.units[0].name)\" and \"\(unit.name)\" are not blocks of one sequence; plan "
            + "with --group-by block, one sequence at a time with --include")
      }
      first = first ?? place
      numbered.append((place.number, unit))
    }
    numbered.sort { $0.number < $1.number }
    let interval = intervals ? numbered[0].number + 1 : 1
    for (position, own) in numbered.enumerated() {
      let expected = (position + 1) * interval - 1
      guard own.number == expected else {
        throw ExportError(
          "unit \"\(own.unit.name)\" stands at position \(position) of the list, where block \(expected) "
            + "belongs: blocks are missing, and a list cannot say which; plan all of them")
      }
    }
    self.interval = interval
    units = numbered.map(\.unit)
    if let checkpoint, let first { try requireAll(of: first.before.text, in: checkpoint) }
  }

  /// The first number of a name, by whole parts.
  static func place(in name: String) -> Place? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let index = parts.firstIndex(where: { Int($0) != nil }), let number = Int(parts[index]),
      number >= 0
    else { return nil }
    return Place(
      before: NaturalName(parts[..<index].joined(separator: ".")), number: number,
      after: NaturalName(parts[(index + 1)...].joined(separator: ".")))
  }

  /// A plan that stops early has no gap in itself, but the checkpoint shows it.
  private func requireAll(of prefix: String, in checkpoint: Checkpoint) throws(ExportError) {
    let places = checkpoint.matrixNames.compactMap(Self.place)
    let own = NaturalName(prefix)
    let numbers = Set(
      places.filter { place in
        place.before == own || own.text.hasSuffix(".\(place.before.text)")
          || place.before.text.hasSuffix(".\(prefix)")
      }.map(\.number))
    guard let last = numbers.max() else {
      throw ExportError(
        "the checkpoint has no blocks named \(prefix).0, \(prefix).1, …; the plan is of another model"
      )
    }
    guard units.count == (last + 1) / interval else {
      throw ExportError(
        "there are \(units.count) units, but the checkpoint has \(last + 1) blocks; the plan leaves some "
          + "out, or is of another model")
    }
  }
}
