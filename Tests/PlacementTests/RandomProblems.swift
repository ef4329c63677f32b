import TestSupport

@testable import Placement

/// Draws problems and says what every placement must obey.
enum RandomProblems {
  /// Nodes that may differ; memory near what the slots take, so that some fit and some do not.
  static func draw(
    _ generator: inout SeededGenerator, largestSize: Int = 9, sizes: Int = 3, nodes: Int = 4,
    devices: Int = 3, slots: Int = 6
  ) throws -> PlacementProblem {
    let choices = (0..<generator.integer(in: 1...sizes)).map { _ in
      generator.integer(in: 1...largestSize)
    }
    let units = (0..<generator.integer(in: 1...5)).map { index in
      PlacementUnit(
        name: "u\(index)", slots: generator.integer(in: 0...slots),
        bytesPerSlot: choices[generator.integer(in: 0...choices.count - 1)])
    }
    let bytes = units.reduce(0) { $0 + $1.slots * $1.bytesPerSlot }
    let count = generator.integer(in: 1...nodes)
    let list = (0..<count).map { index in
      let mean = max(1, bytes / count)
      return PlacementNode(
        name: "n\(index)", memory: generator.integer(in: max(1, mean / 2)...mean * 2 + 4),
        devices: generator.integer(in: 1...devices))
    }
    return try PlacementProblem(nodes: list, units: units)
  }

  /// Slots are all there, on devices that exist, within memory, in order, and the sums agree.
  static func check(_ placement: SlotPlacement, of problem: PlacementProblem) throws {
    var used = problem.nodes.map { Array(repeating: 0, count: $0.devices) }
    try require(placement.slots.count == problem.units.count, "a unit is missing")
    for (unit, slots) in zip(problem.units, placement.slots) {
      try require(slots.count == unit.slots, "\(unit.name) has \(slots.count) slots")
      let places = slots.map { [$0.node, $0.device, $0.expert ?? -1] }
      try require(
        zip(places, places.dropFirst()).allSatisfy { $0 == $1 || $0.lexicographicallyPrecedes($1) },
        "\(unit.name) is not in order")
      for slot in slots { used[slot.node][slot.device] += unit.bytesPerSlot }
    }
    try require(used == placement.usedBytes, "used bytes are not those of the slots")
    for (node, bytes) in zip(problem.nodes, used) {
      try require(
        bytes.allSatisfy { $0 <= node.deviceMemory }, "\(node.name) holds \(bytes) of \(node)")
    }
  }

  /// Slots of a unit on each node.
  static func nodeCounts(_ placement: SlotPlacement, _ unit: Int, nodes: Int) -> [Int] {
    var counts = Array(repeating: 0, count: nodes)
    for slot in placement.slots[unit] { counts[slot.node] += 1 }
    return counts
  }

  /// Slots of a unit on each device of each node.
  static func deviceCounts(
    _ placement: SlotPlacement, _ unit: Int, of problem: PlacementProblem
  ) -> [[Int]] {
    var counts = problem.nodes.map { Array(repeating: 0, count: $0.devices) }
    for slot in placement.slots[unit] { counts[slot.node][slot.device] += 1 }
    return counts
  }

  static func spread(_ values: [Int]) -> Int { (values.max() ?? 0) - (values.min() ?? 0) }
}
