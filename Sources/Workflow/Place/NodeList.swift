internal import Collectives
internal import PlanFiles

/// The nodes of a file, with their memory: what the file says, or for a hostfile what the ranks that
/// run on its hosts say.
struct NodeList {
  let nodes: [NodesDocument.Node]
  let input: InputFingerprint

  /// Collective: every rank reads the file. Throws the same failure on every rank.
  init(path: String, over world: borrowing some Collective & ~Copyable) throws(Failure) {
    let (file, content) = try agreed(over: world) { () throws(Failure) in
      let file = try InputFile(path: path)
      return (file, try Content(file))
    }
    try requireSameInput(file.checksum, what: path, over: world)
    input = InputFingerprint(
      bytes: file.bytes.count, headers: nil, contents: file.checksum.hexadecimal)
    switch content {
    case .nodes(let document): nodes = document.nodes
    case .hosts(let hosts):
      let running = try nodeMemories(over: world)
      nodes = try Self.nodes(of: hosts, running: running, source: path)
    }
  }

  private enum Content {
    case nodes(NodesDocument)
    case hosts([String])

    /// JSON begins with a brace; anything else must be a hostfile.
    init(_ file: InputFile) throws(Failure) {
      let first = file.bytes.first { !Array(" \t\r\n".utf8).contains($0) }
      do throws(PlanFileError) {
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
          self = .nodes(try NodesDocument(bytes: file.bytes, source: file.path))
        } else {
          self = .hosts(try HostFile(bytes: file.bytes, source: file.path).hosts)
        }
      } catch {
        throw Failure(error)
      }
    }
  }

  /// Memory of each host of a hostfile, from those that ranks run on.
  ///
  /// Names agree if they are equal, or equal up to the first dot where one of them has no domain;
  /// `localhost` is the host of a run on one host.
  static func nodes(
    of hosts: [String], running: [(host: String, bytes: Int)], source: String
  ) throws(Failure) -> [NodesDocument.Node] {
    var nodes: [NodesDocument.Node] = []
    for host in hosts {
      guard let match = running.first(where: { isSame(host, $0.host, among: running.count) }) else {
        let known = running.map(\.host).joined(separator: ", ")
        throw Failure(
          .badData,
          "\(source): no rank of this run is on host \"\(host)\" (ranks are on \(known)), so its memory "
            + "is not known; start a rank on every host, such as mpirun --hostfile \(source) "
            + "--map-by ppr:1:node, or write JSON with memory_bytes")
      }
      nodes.append(NodesDocument.Node(name: host, memoryBytes: match.bytes))
    }
    return nodes
  }

  private static func isSame(_ listed: String, _ running: String, among hosts: Int) -> Bool {
    if listed == running { return true }
    if hosts == 1, ["localhost", "127.0.0.1", "::1"].contains(listed) { return true }
    // Dots of an address separate numbers, not domains.
    guard listed.contains(where: \.isLetter), listed.contains(".") != running.contains(".") else {
      return false
    }
    return listed.prefix { $0 != "." } == running.prefix { $0 != "." }
  }
}
