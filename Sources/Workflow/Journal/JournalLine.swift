internal import TensorFiles

/// A line of a journal: a record and the XXH64 of its bytes, as one JSON object.
///
///     {"xxh64":"0f1e2d3c4b5a6978","record":{...}}
enum JournalLine {
  private static let head = Array(#"{"xxh64":""#.utf8)
  private static let middle = Array(#"","record":"#.utf8)
  private static let prefixCount = head.count + 16 + middle.count

  /// The line with its line feed. - Precondition: `record` holds no line feed.
  static func sealed(_ record: [UInt8]) -> [UInt8] {
    let hash = Array(XXHash64.hash(record).hexadecimal.utf8)
    return head + hash + middle + record + [UInt8(ascii: "}"), UInt8(ascii: "\n")]
  }

  /// The record of a line without its line feed; nil unless every byte is as it was sealed.
  static func opened(_ line: some Collection<UInt8>) -> [UInt8]? {
    guard line.count > prefixCount else { return nil }
    let record = Array(line.dropFirst(prefixCount).dropLast())
    return sealed(record).dropLast().elementsEqual(line) ? record : nil
  }
}
