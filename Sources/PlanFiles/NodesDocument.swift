/// The machines that capacity goes to, and their memory: `{"nodes": [{"name", "memory_bytes"}]}`.
public struct NodesDocument: Codable, Sendable, Equatable {
  public static let format = "layerbudget.nodes/1"

  public var nodes: [Node]

  public struct Node: Codable, Sendable, Equatable {
    public var name: String
    /// What slots may take of the whole node.
    public var memoryBytes: Int
    /// Equal parts of that memory; 1 unless the file says otherwise.
    public var devices: Int

    enum CodingKeys: String, CodingKey {
      case name, devices
      case memoryBytes = "memory_bytes"
    }

    public init(name: String, memoryBytes: Int, devices: Int = 1) {
      self.name = name
      self.memoryBytes = memoryBytes
      self.devices = devices
    }

    public init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      name = try fields.decode(String.self, forKey: .name)
      memoryBytes = try fields.decode(Int.self, forKey: .memoryBytes)
      devices = try fields.decodeIfPresent(Int.self, forKey: .devices) ?? 1
    }
  }

  public init(nodes: [Node]) {
    self.nodes = nodes
  }

  /// - Throws: `invalid` for a file of another format, no node, a name that is empty or comes twice,
  ///   memory or devices below 1, more devices than bytes.
  public init(bytes: [UInt8], source: String) throws(PlanFileError) {
    if let format = DocumentCoding.format(of: bytes), format != Self.format {
      throw .invalid(
        "\(source): is a \(format) file, not \(Self.format); see docs/formats.md on nodes")
    }
    self = try DocumentCoding.decode(Self.self, from: bytes, source: source)
    guard !nodes.isEmpty else { throw .invalid("\(source): lists no node; give at least one") }
    var names: Set<[UInt8]> = []
    for (index, node) in nodes.enumerated() {
      guard !node.name.isEmpty, names.insert(Array(node.name.utf8)).inserted else {
        throw .invalid(
          "\(source): nodes[\(index)] is named \"\(node.name)\", but every node needs a name of its "
            + "own")
      }
      guard node.memoryBytes > 0 else {
        throw .invalid(
          "\(source): node \"\(node.name)\" has memory_bytes \(node.memoryBytes), but must have more "
            + "than 0")
      }
      guard node.devices > 0, node.devices <= min(node.memoryBytes, Self.largestDeviceCount) else {
        throw .invalid(
          "\(source): node \"\(node.name)\" has \(node.devices) devices, but must have between 1 and "
            + "\(min(node.memoryBytes, Self.largestDeviceCount))")
      }
    }
  }

  /// Of one node; beyond is a mistake.
  public static let largestDeviceCount = 65_536
}
