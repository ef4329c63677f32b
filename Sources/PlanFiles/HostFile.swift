/// An Open MPI hostfile: a host per line, `node01 slots=16 max_slots=16`, `#` begins a comment.
///
/// Only the names are kept, each once, in the order of the file. What mpirun would run where is its
/// own business.
public struct HostFile: Sendable, Equatable {
  public let hosts: [String]

  /// - Throws: `invalid` for a line that is not a host with its keys, or a file without hosts.
  public init(bytes: [UInt8], source: String) throws(PlanFileError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .invalid("\(source): is neither JSON nor a hostfile: it is not UTF-8 text")
    }
    var hosts: [String] = []
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let fields = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "=" }
      guard let first = fields.first else { continue }
      let rest = Array(fields.dropFirst())
      let areKeysAndNumbers = rest.indices.allSatisfy { index in
        index % 2 == 0 ? rest[index].allSatisfy { !$0.isNumber } : Int(rest[index]) != nil
      }
      guard rest.count % 2 == 0, areKeysAndNumbers, Self.isHost(first) else {
        throw .invalid(
          "\(source): line \(number + 1), \"\(line.prefix(80))\", is not a line of an Open MPI "
            + "hostfile (HOST slots=N max_slots=N); for memory in bytes write JSON: "
            + "{\"nodes\": [{\"name\": \"node01\", \"memory_bytes\": 68719476736}]}")
      }
      // user@host: the user is for logging in.
      let host = first.split(separator: "@").last.map(String.init) ?? String(first)
      if !hosts.contains(host) { hosts.append(host) }
    }
    guard !hosts.isEmpty else { throw .invalid("\(source): names no host; give at least one") }
    self.hosts = hosts
  }

  /// Letters, digits, dots, dashes, underscores, and colons of an IPv6 address.
  private static func isHost(_ text: Substring) -> Bool {
    text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: Array(".-_:@".utf8).contains(byte)
      }
    }
  }
}
