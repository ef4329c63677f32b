/// The order in which people count layers: runs of digits compare as numbers, so that
/// `model.layers.2` comes before `model.layers.10`; everything else compares byte by byte.
public struct NaturalName: Comparable, Sendable, Hashable {
  public let text: String
  private let parts: [Part]

  private enum Part: Comparable, Hashable, Sendable {
    /// Significant digits; longer means larger.
    case number([UInt8])
    case text([UInt8])

    static func < (left: Part, right: Part) -> Bool {
      switch (left, right) {
      case (.number(let a), .number(let b)):
        return a.count != b.count ? a.count < b.count : a.lexicographicallyPrecedes(b)
      case (.text(let a), .text(let b)): return a.lexicographicallyPrecedes(b)
      case (.number, .text): return true
      case (.text, .number): return false
      }
    }
  }

  public init(_ text: String) {
    self.text = text
    var parts: [Part] = []
    var run: [UInt8] = []
    var inDigits = false
    func flush() {
      guard !run.isEmpty else { return }
      parts.append(inDigits ? .number(Array(run.drop { $0 == UInt8(ascii: "0") })) : .text(run))
      run = []
    }
    for byte in text.utf8 {
      let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      if isDigit != inDigits { flush() }
      inDigits = isDigit
      run.append(byte)
    }
    flush()
    self.parts = parts
  }

  public static func == (left: NaturalName, right: NaturalName) -> Bool {
    left.text.utf8.elementsEqual(right.text.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
  }

  /// By parts; names that differ only in leading zeros are told apart by their bytes.
  public static func < (left: NaturalName, right: NaturalName) -> Bool {
    if left.parts != right.parts { return left.parts.lexicographicallyPrecedes(right.parts) }
    return left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }
}
