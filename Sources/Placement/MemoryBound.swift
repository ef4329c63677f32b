/// A reason why slots cannot fit, whatever the arrangement.
///
/// For any size s a device of M bytes holds slots b₁, b₂, … with Σ ⌊bᵢ/s⌋ ≤ ⌊Σ bᵢ/s⌋ ≤ ⌊M/s⌋. So
///
///     Σ slots ⌊b/s⌋ ≤ Σ devices ⌊M/s⌋
///
/// is necessary for every s; s = 1 compares bytes, s = b counts what is cut off at the end of each
/// device. It is tried for 1 and the sizes that occur. Where every size divides the next larger one
/// (equal sizes above all) it is also sufficient: placing the larger slots first, on any device that
/// has room, takes the same number of places from the smaller ones wherever they go.
struct MemoryBound: Equatable {
  /// The s that fails.
  let size: Int
  /// How many pieces of that size are needed and are there.
  let needed: Int128
  let available: Int128

  var shortfall: Int128 { (needed - available) * Int128(size) }

  /// The bound with the largest shortfall, nil if all hold.
  /// - Complexity: O(sizes · (sizes + devices)).
  static func broken(_ classes: [SizeClass], memory: [Int]) -> MemoryBound? {
    var worst: MemoryBound?
    for size in [1] + classes.map(\.bytes) {
      let bound = MemoryBound(
        size: size,
        needed: classes.reduce(0) { $0 + Int128($1.slots) * Int128($1.bytes / size) },
        available: memory.reduce(0) { $0 + Int128($1 / size) })
      if bound.shortfall > max(0, worst?.shortfall ?? 0) { worst = bound }
    }
    return worst
  }
}

extension MemoryBound {
  /// In words, for a problem that breaks it.
  func explanation(_ problem: PlacementProblem, _ classes: [SizeClass]) -> String {
    let slots = classes.reduce(0) { $0 + $1.slots }
    let bytes = classes.reduce(Int128(0)) { $0 + Int128($1.slots) * Int128($1.bytes) }
    let memory = problem.nodes.reduce(Int128(0)) { $0 + Int128($1.memory) }
    // Where all slots are of one size, what the devices can hold of them is the budget that fits.
    let smaller =
      classes.count == 1
      ? "\(Self.usableBytes(problem, by: classes[0].bytes)) bytes" : "nodes:0.9"
    let advice =
      "allocate with a smaller budget (such as --budget \"\(smaller)\"), give smaller "
      + "--bytes-per-slot, or add nodes or memory"
    let start =
      "the slots do not fit: \(slots) slots need \(bytes) bytes, and \(Self.nodes(problem)) "
    if let large = classes.first, !problem.nodes.contains(where: { $0.deviceMemory >= large.bytes })
    {
      let best = problem.nodes.max { $0.deviceMemory < $1.deviceMemory } ?? problem.nodes[0]
      return start
        + "\(memory) bytes, but a slot of unit \"\(problem.units[large.units[0]].name)\" has "
        + "\(large.bytes) bytes and the largest device, on node \"\(best.name)\" with "
        + "\(best.devices) devices, \(best.deviceMemory): \(large.bytes - best.deviceMemory) bytes "
        + "short; give that node fewer devices or more memory, or smaller --bytes-per-slot"
    }
    guard size > 1 else {
      return start + "\(memory) bytes: \(shortfall) bytes short; \(advice)"
    }
    let rest = problem.nodes.map { $0.memory - $0.devices * ($0.deviceMemory / size * size) }
    let place = rest.indices.max { rest[$0] < rest[$1] || rest[$0] == rest[$1] && $0 > $1 } ?? 0
    return start
      + "\(memory) bytes, but whole slots of \(size) bytes leave part of it unused, the most "
      + "(\(rest[place]) bytes) on node \"\(problem.nodes[place].name)\": "
      + (needed - available == 1 ? "1 slot" : "\(needed - available) slots")
      + " of that size, \(shortfall) bytes, without a place; \(advice)"
  }

  private static func usableBytes(_ problem: PlacementProblem, by size: Int) -> Int {
    size * problem.nodes.reduce(0) { $0 + $1.devices * ($1.deviceMemory / size) }
  }

  private static func nodes(_ problem: PlacementProblem) -> String {
    problem.nodes.count == 1
      ? "node \"\(problem.nodes[0].name)\" has" : "\(problem.nodes.count) nodes have"
  }
}
