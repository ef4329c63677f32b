/// The memory that this process may really use on its machine.
///
///     bytes = min(physical memory, every limit of a control group that the process is in)
///
/// Batch systems and containers limit by control groups, and a process that goes beyond is killed
/// without a word; the physical memory alone would promise too much. Swap is not counted.
public struct NodeMemory: Sendable, Equatable {
  /// What the machine has: MemTotal of /proc/meminfo, in bytes.
  public let physical: Int
  /// The smallest limit along the control groups of this process, nil without one.
  public let limit: Int?

  public var bytes: Int { min(physical, limit ?? physical) }

  /// Reads what the kernel says of this process.
  ///
  /// - Parameter root: where the file system begins; tests give a folder with files of their own.
  /// - Throws: code 66 where the kernel does not say how much memory there is.
  public init(root: String = "") throws(Failure) {
    let path = root + "/proc/meminfo"
    guard let text = Self.text(path), let physical = Self.physical(in: text) else {
      throw Failure(
        .missingInput,
        "\(path): does not say how much memory this machine has (a line \"MemTotal: N kB\"); state "
          + "the memory in bytes instead of asking the machine for it")
    }
    self.physical = physical
    limit = ControlGroups(root: root).memoryLimits.min()
  }

  /// MemTotal in bytes; what the file calls kB are units of 1024 bytes.
  static func physical(in text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix("MemTotal:") {
      let fields = line.split { $0 == " " || $0 == "\t" }
      guard fields.count == 3, fields[2] == "kB", let units = Int(fields[1]), units > 0 else {
        return nil
      }
      let (bytes, overflow) = units.multipliedReportingOverflow(by: 1024)
      return overflow ? nil : bytes
    }
    return nil
  }

  /// The text of a file of the kernel, nil if it is not there or not for us.
  static func text(_ path: String) -> String? {
    guard let file = try? InputFile(path: path) else { return nil }
    return String(decoding: file.bytes, as: UTF8.self)
  }
}
