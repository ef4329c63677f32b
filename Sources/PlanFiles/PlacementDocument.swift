/// Where every slot of a capacity plan lies.
///
/// `layerbudget.placement/1`; the fields are listed in docs/formats.md. Nothing in it depends on the
/// number of ranks, paths or time.
public struct PlacementDocument: Codable, Sendable, Equatable {
  public static let format = "layerbudget.placement/1"

  public var format = PlacementDocument.format
  public var parameters: [String: ParameterValue]
  public var nodes: [Node]
  public var units: [Unit]
  /// Σ mean loads / Σ largest loads of devices over the units; only with loads.
  public var balancedness: Double?
  public var inputs: [String: InputFingerprint]
  public var notes: [String]

  public init(
    parameters: [String: ParameterValue], nodes: [Node], units: [Unit], balancedness: Double?,
    inputs: [String: InputFingerprint], notes: [String]
  ) {
    self.parameters = parameters
    self.nodes = nodes
    self.units = units
    self.balancedness = balancedness
    self.inputs = inputs
    self.notes = notes
  }

  public struct Node: Codable, Sendable, Equatable {
    public var name: String
    public var memoryBytes: Int
    public var usedBytes: Int
    public var devices: Int
    /// Bytes of a device: memory / devices, rounded down.
    public var deviceMemoryBytes: Int
    public var deviceUsedBytes: [Int]
    public var slotCount: Int
    /// Tokens that its slots get over all units with loads; only with loads.
    public var load: Double?
    public var deviceLoads: [Double]?

    enum CodingKeys: String, CodingKey {
      case name, devices, load
      case memoryBytes = "memory_bytes"
      case usedBytes = "used_bytes"
      case deviceMemoryBytes = "device_memory_bytes"
      case deviceUsedBytes = "device_used_bytes"
      case slotCount = "slot_count"
      case deviceLoads = "device_loads"
    }

    public init(
      name: String, memoryBytes: Int, devices: Int, deviceMemoryBytes: Int,
      deviceUsedBytes: [Int], slotCount: Int, deviceLoads: [Double]?
    ) {
      self.name = name
      self.memoryBytes = memoryBytes
      self.devices = devices
      self.deviceMemoryBytes = deviceMemoryBytes
      self.deviceUsedBytes = deviceUsedBytes
      self.slotCount = slotCount
      self.deviceLoads = deviceLoads
      usedBytes = deviceUsedBytes.reduce(0, +)
      load = deviceLoads.map { $0.reduce(0, +) }
    }
  }

  public struct Unit: Codable, Sendable, Equatable {
    public var name: String
    public var bytesPerSlot: Int
    /// Index of the node of each slot; ascending.
    public var slots: [Int]
    /// Index of the device on that node.
    public var devices: [Int]
    /// Logical expert in each slot; only with loads.
    public var experts: [Int]?
    /// Slots of each logical expert; only with loads.
    public var expertSlots: [Int]?
    /// Mean over largest load of a device; only with loads.
    public var balancedness: Double?

    enum CodingKeys: String, CodingKey {
      case name, slots, devices, experts, balancedness
      case bytesPerSlot = "bytes_per_slot"
      case expertSlots = "expert_slots"
    }

    public init(
      name: String, bytesPerSlot: Int, slots: [Int], devices: [Int], experts: [Int]? = nil,
      expertSlots: [Int]? = nil, balancedness: Double? = nil
    ) {
      self.name = name
      self.bytesPerSlot = bytesPerSlot
      self.slots = slots
      self.devices = devices
      self.experts = experts
      self.expertSlots = expertSlots
      self.balancedness = balancedness
    }
  }
}
