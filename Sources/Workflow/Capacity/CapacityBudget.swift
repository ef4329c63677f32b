internal import Curvature

/// What a unit gets more or less of.
public enum CapacityKind: String, CaseIterable, Sendable {
  /// Expert slots of a layer.
  case slots
  /// LoRA rank of every module of the unit.
  case rank
  /// Memory.
  case bytes
}

/// A budget as the user says it: `160`, `160 slots`, `"512 GiB"`, `"40M parameters"`, `"256 ranks"`,
/// `nodes:0.9`.
public enum CapacityBudget: Sendable, Equatable {
  /// What a number counts.
  public enum Measure: String, Sendable {
    /// Nothing is said: the unit of the costs.
    case costs
    case slots
    case ranks
    case parameters
    case bytes
  }
  case amount(Double, Measure)
  /// This share of the memory of the nodes.
  case nodeMemory(share: Double)

  public var measure: Measure {
    switch self {
    case .amount(_, let measure): measure
    case .nodeMemory: .bytes
    }
  }

  /// - Throws: `usage` naming the text and the forms that are understood.
  public init(_ text: String) throws(Failure) {
    func refusal(_ problem: String) -> Failure {
      Failure(
        .usage,
        "--budget \(text): \(problem); say 160, \"512 GiB\", \"40M parameters\", \"256 ranks\" or "
          + "nodes:0.9")
    }
    if text.hasPrefix("nodes:") {
      guard let share = Double(text.dropFirst(6)), share > 0, share <= 1 else {
        throw refusal("the share of the nodes' memory must be above 0 and at most 1")
      }
      self = .nodeMemory(share: share)
      return
    }
    guard let (number, end) = Self.number(text) else {
      throw refusal("it must begin with a number")
    }
    let words = text[end...].split(separator: " ").map(String.init)
    guard let (factor, measure) = Self.meaning(of: words) else {
      let known = Set(Self.measures.keys).union(Self.byteUnits.keys)
      let nearest = words.last.flatMap { NearestName.of($0, in: known) }
      throw refusal(
        "\"\(words.joined(separator: " "))\" is no unit that it knows"
          + (nearest.map { "; did you mean \($0)?" } ?? ""))
    }
    let amount = number * factor
    guard amount > 0, amount.isFinite else { throw refusal("it must be positive and finite") }
    self = .amount(amount, measure)
  }

  /// The longest number that the text begins with.
  private static func number(_ text: String) -> (value: Double, end: String.Index)? {
    var end = text.prefix { $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }.endIndex
    while end > text.startIndex {
      if let value = Double(text[..<end]) { return (value, end) }
      end = text.index(before: end)
    }
    return nil
  }

  /// Factor and measure of what follows the number: an SI or binary prefix, a unit, both, or nothing.
  private static func meaning(of words: [String]) -> (Double, Measure)? {
    switch words.count {
    case 0: return (1, .costs)
    case 1:
      if let measure = measures[words[0].lowercased()] { return (1, measure) }
      if let factor = byteUnits[words[0]] { return (factor, .bytes) }
      // "7B" may be bytes or billions.
      return words[0] == "B" ? nil : multiples[words[0]].map { ($0, .costs) }
    case 2:
      guard let factor = multiples[words[0]], let measure = measures[words[1].lowercased()] else {
        return nil
      }
      return (factor, measure)
    default: return nil
    }
  }

  private static let measures: [String: Measure] = [
    "slot": .slots, "slots": .slots, "rank": .ranks, "ranks": .ranks, "parameter": .parameters,
    "parameters": .parameters, "byte": .bytes, "bytes": .bytes,
  ]
  private static let multiples: [String: Double] = [
    "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12,
  ]
  private static let byteUnits: [String: Double] = [
    "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
    "KiB": 0x1p10, "MiB": 0x1p20, "GiB": 0x1p30, "TiB": 0x1p40,
  ]
}
