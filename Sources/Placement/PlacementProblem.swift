/// A machine whose memory is divided evenly among its devices.
public struct PlacementNode: Sendable, Equatable {
  public let name: String
  /// Bytes for slots on the whole node.
  public let memory: Int
  public let devices: Int

  public init(name: String, memory: Int, devices: Int = 1) {
    self.name = name
    self.memory = memory
    self.devices = devices
  }

  /// ⌊memory / devices⌋: a slot lies on one device, so this is what counts.
  public var deviceMemory: Int { memory / devices }
}

/// Expert slots of one layer, all of one size.
public struct PlacementUnit: Sendable, Equatable {
  public let name: String
  public let slots: Int
  public let bytesPerSlot: Int
  /// Tokens that went to each logical expert of the layer; nil where slots are all alike.
  public let loads: [Double]?

  public init(name: String, slots: Int, bytesPerSlot: Int, loads: [Double]? = nil) {
    self.name = name
    self.slots = slots
    self.bytesPerSlot = bytesPerSlot
    self.loads = loads
  }
}

/// Slots to be placed, and where they may go.
public struct PlacementProblem: Sendable, Equatable {
  public let nodes: [PlacementNode]
  public let units: [PlacementUnit]

  /// No more slots than this: what is counted beyond are bytes or weights, hardly experts.
  public static let largestSlotCount = 10_000_000

  /// - Throws: `invalid` for what cannot be a problem, naming node or unit, value and limit.
  public init(nodes: [PlacementNode], units: [PlacementUnit]) throws(PlacementError) {
    self.nodes = nodes
    self.units = units
    guard !nodes.isEmpty else { throw .invalid("there is no node to place slots on; name one") }
    for node in nodes {
      guard node.memory > 0, node.devices > 0 else {
        throw .invalid(
          "node \"\(node.name)\" has \(node.memory) bytes and \(node.devices) devices, but needs at "
            + "least 1 of each")
      }
    }
    var total = 0
    for unit in units {
      try Self.check(unit)
      total += unit.slots
      guard total <= Self.largestSlotCount else {
        throw .invalid(
          "unit \"\(unit.name)\" brings the slots to \(total), but \(Self.largestSlotCount) are the "
            + "most; does the plan count bytes where it should count slots?")
      }
    }
  }

  private static func check(_ unit: PlacementUnit) throws(PlacementError) {
    guard unit.slots >= 0, unit.slots <= largestSlotCount else {
      throw .invalid(
        "unit \"\(unit.name)\" has \(unit.slots) slots, but must have between 0 and "
          + "\(largestSlotCount); does the plan count bytes where it should count slots?")
    }
    guard unit.bytesPerSlot > 0, unit.bytesPerSlot < 1 << 53 else {
      throw .invalid(
        "unit \"\(unit.name)\" has slots of \(unit.bytesPerSlot) bytes, but a slot has at least 1 "
          + "byte and less than 2^53")
    }
    guard let loads = unit.loads else { return }
    guard !loads.isEmpty, loads.count <= unit.slots else {
      throw .invalid(
        "unit \"\(unit.name)\" has \(unit.slots) slots for \(loads.count) experts with loads; every "
          + "expert needs a slot: allocate with --min \(max(loads.count, 1)), or place without "
          + "loads")
    }
    for (expert, load) in loads.enumerated() where !(load.isFinite && load >= 0) {
      throw .invalid(
        "unit \"\(unit.name)\": the load of expert \(expert) is \(load), but must be a finite number "
          + "of tokens, 0 or more")
    }
  }
}
