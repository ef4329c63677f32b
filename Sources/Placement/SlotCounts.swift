/// How many slots of each unit lie on each device.
///
/// Sizes are taken largest first. For each size the units' slots are spread over the nodes in
/// proportion to what the nodes hold of that size when empty, and then over the devices of a node
/// evenly. Whatever is spread first, a slot goes only where it fits, so for sizes that divide each
/// other this fails only if nothing else could have succeeded (see `MemoryBound`).
struct SlotCounts: Equatable {
  /// [unit][device].
  private(set) var counts: [[Int]]
  /// Bytes left on each device.
  private(set) var free: [Int]

  /// Nil if the slots of some size find no room this way.
  ///
  /// - Parameter packing: how many slots of each class each device must take, [class][device], adding
  ///   up to the class; without it every device takes what fits.
  /// - Complexity: of `SlotSpread`, for nodes and for the devices of each node.
  init?(
    _ problem: PlacementProblem, _ classes: [SizeClass], _ devices: DeviceList,
    packing: [[Int]]? = nil
  ) {
    counts = problem.units.map { _ in Array(repeating: 0, count: devices.count) }
    free = devices.memory
    // In bytes, so that what one size leaves uneven the next can make up for.
    var nodeOwed = [Double](repeating: 0, count: problem.nodes.count)
    var deviceOwed = [Double](repeating: 0, count: devices.count)

    for (position, size) in classes.enumerated() {
      let rooms = packing?[position] ?? free.map { $0 / size.bytes }
      let nodeRooms = devices.ofNode.map { rooms[$0].reduce(0, +) }
      guard size.slots <= nodeRooms.reduce(0, +) else { return nil }
      let shares = problem.nodes.map { $0.devices * ($0.deviceMemory / size.bytes) }

      // 1. Nodes.
      let ofNodes = Self.spread(
        size.units.map { problem.units[$0].slots }, shares, nodeRooms, size.bytes, &nodeOwed)
      // 2. Devices of each node.
      for (node, range) in devices.ofNode.enumerated() {
        var owed = Array(deviceOwed[range])
        let ofDevices = Self.spread(
          ofNodes.map { $0[node] }, range.map { _ in 1 }, Array(rooms[range]), size.bytes, &owed)
        deviceOwed.replaceSubrange(range, with: owed)
        for (row, unit) in size.units.enumerated() {
          for (column, device) in range.enumerated() {
            counts[unit][device] = ofDevices[row][column]
            free[device] -= ofDevices[row][column] * size.bytes
          }
        }
      }
    }
  }

  private static func spread(
    _ rows: [Int], _ shares: [Int], _ rooms: [Int], _ bytes: Int, _ owed: inout [Double]
  ) -> [[Int]] {
    var inSlots = owed.map { $0 / Double(bytes) }
    let spread = SlotSpread(rows: rows, shares: shares, rooms: rooms, owed: &inSlots)
    owed = inSlots.map { $0 * Double(bytes) }
    return spread.counts
  }

  /// Whether every node has its share of a unit, rounded down or up.
  func isEven(_ unit: Int, _ problem: PlacementProblem, _ devices: DeviceList) -> Bool {
    let bytes = problem.units[unit].bytesPerSlot
    let slots = Int128(problem.units[unit].slots)
    guard slots > 0 else { return true }
    let shares = problem.nodes.map { Int128($0.devices) * Int128($0.deviceMemory / bytes) }
    let total = shares.reduce(0, +)
    return devices.ofNode.enumerated().allSatisfy { node, range in
      let count = Int128(counts[unit][range].reduce(0, +))
      let claim = slots * shares[node]
      return count * total > claim - total && count * total < claim + total
    }
  }
}
