internal import Curvature

/// Names of hosts, short enough for a message: `node[1-4,7] and login`.
enum HostList {
  /// In natural order, each once; numbers behind the same stem are folded. A number with leading zeros
  /// keeps its width: `n01` and `n1` are different hosts.
  static func text(_ hosts: some Sequence<String>) -> String {
    var groups: [Group] = []
    for host in Set(hosts.map(NaturalName.init)).sorted().map(\.text) {
      if let last = groups.indices.last, let number = groups[last].number(of: host) {
        groups[last].numbers.append(number)
      } else {
        groups.append(Group(host))
      }
    }
    let names = groups.map(\.text)
    guard names.count > 1 else { return names.first ?? "no host" }
    return names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
  }

  /// Hosts that differ only in the number at their end.
  private struct Group {
    let stem: String
    /// Digits that every number is padded to, 0 for none.
    let width: Int
    var numbers: [Int] = []

    init(_ host: String) {
      let digits = host.reversed().prefix { $0.isASCII && $0.isNumber }.reversed()
      guard let number = Int(String(digits)) else {
        (stem, width) = (host, 0)
        return
      }
      stem = String(host.dropLast(digits.count))
      width = digits.first == "0" ? digits.count : 0
      numbers = [number]
    }

    /// The number by which a host belongs here, nil if it does not.
    func number(of host: String) -> Int? {
      guard !numbers.isEmpty, host.hasPrefix(stem), let number = Int(host.dropFirst(stem.count)),
        stem + padded(number) == host
      else { return nil }
      return number
    }

    var text: String {
      guard numbers.count > 1 else { return stem + (numbers.first.map(padded) ?? "") }
      var parts: [String] = []
      var start = 0
      for index in numbers.indices
      where index + 1 == numbers.count || numbers[index + 1] != numbers[index] + 1 {
        let ends = Set([start, index]).sorted().map { padded(numbers[$0]) }
        parts.append(ends.joined(separator: "-"))
        start = index + 1
      }
      return "\(stem)[\(parts.joined(separator: ","))]"
    }

    private func padded(_ number: Int) -> String {
      let digits = "\(number)"
      return String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }
  }
}
