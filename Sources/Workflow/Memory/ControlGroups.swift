/// The control groups of this process that limit memory and processor time, of version 2 and of
/// version 1.
///
/// `/proc/self/cgroup` names the group, `/proc/self/mountinfo` says where the tree of groups is
/// mounted and which of its groups is the mounted root: inside a container the tree often begins at
/// the container's own group. A group is also bound by the limits of all groups above it.
struct ControlGroups {
  let root: String

  private struct Mount {
    /// The group at the mount point.
    let group: String
    let point: String
    /// Version 2; its one tree has all controllers.
    let isUnified: Bool
    /// Of version 1, the controllers of the tree.
    let controllers: [Substring]
  }

  /// Every limit that is set, in bytes. A group without a limit, and files that are not there, count
  /// for nothing; version 1 writes a very large number for "no limit".
  var memoryLimits: [Int] {
    folders(of: "memory").compactMap { folder, isUnified in
      let file = isUnified ? "memory.max" : "memory.limit_in_bytes"
      return NodeMemory.text("\(folder)/\(file)").flatMap(Self.bytes)
    }
  }

  /// Every limit on processor time that is set, in processors. Version 2 writes quota and period into
  /// one file, `max` for no limit; version 1 into two, −1 for no limit.
  var processorQuotas: [Double] {
    folders(of: "cpu").compactMap { folder, isUnified in
      let files = isUnified ? ["cpu.max"] : ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
      let words = files.flatMap { file in
        (NodeMemory.text("\(folder)/\(file)") ?? "").split { $0.isWhitespace }
      }
      let times = words.compactMap { Double($0) }
      guard times.count == 2, times.allSatisfy({ $0 > 0 }) else { return nil }
      return times[0] / times[1]
    }
  }

  /// The folders of all groups that bind this process, in the trees that have `controller`.
  private func folders(of controller: Substring) -> [(folder: String, isUnified: Bool)] {
    guard let groups = NodeMemory.text(root + "/proc/self/cgroup") else { return [] }
    let mounts = mounts
    var found: [(String, Bool)] = []
    for line in groups.split(separator: "\n") {
      // hierarchy:controllers:path; version 2 is hierarchy 0, without controllers.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isUnified = fields[0] == "0" && fields[1].isEmpty
      guard isUnified || fields[1].split(separator: ",").contains(controller) else { continue }
      for mount in mounts
      where mount.isUnified == isUnified && (isUnified || mount.controllers.contains(controller)) {
        found += folders(of: String(fields[2]), in: mount).map { (root + $0, isUnified) }
      }
    }
    return found
  }

  /// A limit as the kernel writes it: bytes, or `max`.
  static func bytes(_ text: String) -> Int? {
    let digits = text.prefix { !$0.isWhitespace }
    return Int(digits).flatMap { $0 >= 0 ? $0 : nil }
  }

  /// The folder of a group and those of all groups above it, up to the mount point.
  private func folders(of group: String, in mount: Mount) -> [String] {
    var names = group.split(separator: "/")
    let mounted = mount.group.split(separator: "/")
    // A group outside of the mounted part is seen only as the mount point.
    names = names.starts(with: mounted) ? Array(names.dropFirst(mounted.count)) : []
    return (0...names.count).map { mount.point + names.prefix($0).map { "/\($0)" }.joined() }
  }

  private var mounts: [Mount] {
    guard let table = NodeMemory.text(root + "/proc/self/mountinfo") else { return [] }
    return table.split(separator: "\n").compactMap { line in
      // id parent device root point options … - type source super-options
      let fields = line.split(separator: " ").map(String.init)
      guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else {
        return nil
      }
      let isUnified = fields[dash + 1] == "cgroup2"
      guard isUnified || fields[dash + 1] == "cgroup" else { return nil }
      return Mount(
        group: Self.unescaped(fields[3]), point: Self.unescaped(fields[4]), isUnified: isUnified,
        controllers: isUnified ? [] : fields[dash + 3].split(separator: ","))
    }
  }

  /// Blanks and the like are written as a backslash and three octal digits.
  private static func unescaped(_ field: String) -> String {
    guard field.contains("\\") else { return field }
    var bytes: [UInt8] = []
    var rest = Array(field.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.count >= 3,
        let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
      {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
