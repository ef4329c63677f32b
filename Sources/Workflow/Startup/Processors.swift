/// The processors that this process may really use: its affinity mask, and the share of time that
/// its control groups leave it.
///
/// A launcher binds a rank to some processors of its host; threads beyond them take turns on the same
/// ones. Containers limit by time instead: a quota of 2 on a machine of 64.
struct Processors: Codable, Sendable, Equatable {
  /// Numbers of the processors in the affinity mask, ascending.
  let allowed: [Int]
  /// Processors' worth of time per time, nil without a limit.
  let quota: Double?

  init(allowed: [Int], quota: Double?) {
    self.allowed = allowed
    self.quota = quota
  }

  /// Reads what the kernel says of this process; empty where it says nothing.
  ///
  /// - Parameter root: where the file system begins; tests give a folder with files of their own.
  init(root: String = "") {
    let status = NodeMemory.text(root + "/proc/self/status") ?? ""
    let key = "Cpus_allowed_list:"
    let line = status.split(separator: "\n").first { $0.hasPrefix(key) } ?? ""
    allowed = Self.numbers(in: line.dropFirst(key.count))
    quota = ControlGroups(root: root).processorQuotas.min()
  }

  /// `0-3,8` as 0, 1, 2, 3, 8.
  static func numbers(in list: Substring) -> [Int] {
    list.split { $0 == "," || $0.isWhitespace }.flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, first <= last, ends.count <= 2 else {
        return []
      }
      return Array(first...last)
    }
  }
}
