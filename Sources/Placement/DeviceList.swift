/// The devices of all nodes in one row: node after node, device after device.
struct DeviceList: Sendable, Equatable {
  /// Bytes of each device.
  let memory: [Int]
  let node: [Int]
  /// Where the devices of each node are.
  let ofNode: [Range<Int>]

  init(_ nodes: [PlacementNode]) {
    var memory: [Int] = []
    var node: [Int] = []
    var ofNode: [Range<Int>] = []
    for (index, each) in nodes.enumerated() {
      ofNode.append(memory.count..<memory.count + each.devices)
      memory += Array(repeating: each.deviceMemory, count: each.devices)
      node += Array(repeating: index, count: each.devices)
    }
    self.memory = memory
    self.node = node
    self.ofNode = ofNode
  }

  var count: Int { memory.count }
}

/// Units whose slots have one size: to the memory their slots are all alike.
struct SizeClass: Sendable, Equatable {
  let bytes: Int
  /// Their positions in the plan, ascending.
  let units: [Int]
  let slots: Int

  /// The classes of a plan, the largest slots first.
  static func of(_ units: [PlacementUnit]) -> [SizeClass] {
    let positions = Dictionary(grouping: units.indices.filter { units[$0].slots > 0 }) {
      units[$0].bytesPerSlot
    }
    return positions.sorted { $0.key > $1.key }.map { bytes, members in
      SizeClass(
        bytes: bytes, units: members, slots: members.reduce(0) { $0 + units[$1].slots })
    }
  }
}
