/// A number as a table or a list holds it.
enum PlainNumber {
  /// Nil for anything else: `Double` alone stops reading at a zero byte and takes what it has.
  static func value(of text: some StringProtocol) -> Double? {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    return Double(text)
  }
}
