/// What JSON and Python write alike for plain values: numbers, texts, lists and tables of them.
///
/// Other programs' score files are such texts, and so is the header of a NumPy file. Of Python it takes
/// single quotes, tuples, a comma before a closing bracket, `True`, `False` and `None`; names of a
/// table keep their order and may come twice, so that a reader can refuse that.
/// - Complexity: O(bytes) for a whole text.
enum PlainLiteral: Sendable, Equatable {
  case number(Double)
  case text(String)
  /// `true`, `False`, `null` and the like.
  case word(String)
  case list([PlainLiteral])
  case table([(name: String, value: PlainLiteral)])

  static func == (left: PlainLiteral, right: PlainLiteral) -> Bool {
    switch (left, right) {
    case (.number(let a), .number(let b)): a == b
    case (.text(let a), .text(let b)), (.word(let a), .word(let b)): a == b
    case (.list(let a), .list(let b)): a == b
    case (.table(let a), .table(let b)):
      a.elementsEqual(b) { $0.name == $1.name && $0.value == $1.value }
    default: false
    }
  }

  /// What it is, for messages.
  var kind: String {
    switch self {
    case .number: "a number"
    case .text(let text): "\"\(text)\""
    case .word(let word): word
    case .list: "a list"
    case .table: "an object"
    }
  }

  init(bytes: some Collection<UInt8>, source: String) throws(PlanFileError) {
    var reader = LiteralReader(bytes: Array(bytes), source: source)
    self = try reader.value(depth: 0)
    try reader.expectEnd()
  }
}

/// Reads one literal after the other from bytes.
private struct LiteralReader {
  let bytes: [UInt8]
  let source: String
  private var position = 0
  /// Scores need three.
  private static let deepest = 16

  init(bytes: [UInt8], source: String) {
    self.bytes = bytes
    self.source = source
  }

  mutating func value(depth: Int) throws(PlanFileError) -> PlainLiteral {
    guard depth <= Self.deepest else {
      throw .invalid("\(source): lists are nested more than \(Self.deepest) deep")
    }
    switch peek() {
    case UInt8(ascii: "["): return .list(try list(to: UInt8(ascii: "]"), depth))
    case UInt8(ascii: "("): return .list(try list(to: UInt8(ascii: ")"), depth))
    case UInt8(ascii: "{"): return .table(try table(depth))
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return .text(try text())
    default: return try token()
    }
  }

  mutating func expectEnd() throws(PlanFileError) {
    guard peek() == nil else { throw unexpected("nothing after the closing bracket") }
  }

  private mutating func list(
    to end: UInt8, _ depth: Int
  ) throws(PlanFileError) -> [PlainLiteral] {
    position += 1
    var values: [PlainLiteral] = []
    while peek() != end {
      values.append(try value(depth: depth + 1))
      guard peek() == UInt8(ascii: ",") else { break }
      position += 1
    }
    try expect(end, "a comma or the closing bracket")
    return values
  }

  private mutating func table(
    _ depth: Int
  ) throws(PlanFileError) -> [(name: String, value: PlainLiteral)] {
    position += 1
    var members: [(name: String, value: PlainLiteral)] = []
    while peek() != UInt8(ascii: "}") {
      guard let quote = peek(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
        throw unexpected("a name in quotes")
      }
      let name = try text()
      try expect(UInt8(ascii: ":"), "a colon after the name \"\(name)\"")
      members.append((name, try value(depth: depth + 1)))
      guard peek() == UInt8(ascii: ",") else { break }
      position += 1
    }
    try expect(UInt8(ascii: "}"), "a comma or the closing brace")
    return members
  }

  /// A number, or a word such as `null`.
  private mutating func token() throws(PlanFileError) -> PlainLiteral {
    let start = position
    while position < bytes.count, Self.isTokenByte(bytes[position]) { position += 1 }
    let token = String(decoding: bytes[start..<position], as: UTF8.self)
    if ["true", "false", "null", "True", "False", "None"].contains(token) { return .word(token) }
    let beginsAsNumber = token.utf8.first.map { "+-.0123456789".utf8.contains($0) } ?? false
    if ["nan", "inf", "NaN", "Infinity", "-inf", "-Infinity"].contains(token) {
      return .number(
        token.first == "-" ? -.infinity : token.first?.lowercased() == "n" ? .nan : .infinity)
    }
    guard beginsAsNumber, let number = Double(token) else {
      position = start
      throw unexpected("a number")
    }
    return .number(number)
  }

  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "-"),
      UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private mutating func text() throws(PlanFileError) -> String {
    let quote = bytes[position]
    position += 1
    var content: [UInt8] = []
    while position < bytes.count, bytes[position] != quote {
      if bytes[position] == UInt8(ascii: "\\") {
        content += try escape()
      } else {
        content.append(bytes[position])
        position += 1
      }
    }
    guard position < bytes.count else { throw unexpected("the quote that ends a text") }
    position += 1
    guard let text = String(validating: content, as: UTF8.self) else {
      throw .invalid("\(source): byte \(position): a text is not UTF-8")
    }
    return text
  }

  /// JSON's escapes; on entry `position` is at the backslash.
  private mutating func escape() throws(PlanFileError) -> [UInt8] {
    position += 1
    guard position < bytes.count else { throw unexpected("a character after a backslash") }
    let kind = bytes[position]
    position += 1
    switch kind {
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [kind]
    case UInt8(ascii: "u"): return Array(try unicodeEscape().utf8)
    default:
      position -= 1
      throw unexpected("an escape of JSON")
    }
  }

  /// One scalar of `\uXXXX`, or of two that are a surrogate pair.
  private mutating func unicodeEscape() throws(PlanFileError) -> String {
    var code = try codeUnit()
    if case 0xD800..<0xDC00 = code, bytes[position...].starts(with: "\\u".utf8) {
      position += 2
      let low = try codeUnit()
      guard case 0xDC00..<0xE000 = low else {
        throw unexpected("the other half of a surrogate pair")
      }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else {
      throw unexpected("the other half of a surrogate pair")
    }
    return String(scalar)
  }

  private mutating func codeUnit() throws(PlanFileError) -> UInt32 {
    let digits = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
    guard digits.utf8.count == 4, !digits.hasPrefix("+"), let code = UInt32(digits, radix: 16)
    else {
      throw unexpected("four hexadecimal digits")
    }
    position += 4
    return code
  }

  /// The next byte that is no white space, not consumed.
  private mutating func peek() -> UInt8? {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
    return position < bytes.count ? bytes[position] : nil
  }

  private mutating func expect(_ byte: UInt8, _ meaning: String) throws(PlanFileError) {
    guard peek() == byte else { throw unexpected(meaning) }
    position += 1
  }

  private func unexpected(_ expected: String) -> PlanFileError {
    guard position < bytes.count else {
      return .invalid("\(source): ends where \(expected) belongs; the file may be truncated")
    }
    let found = String(decoding: bytes[position...].prefix(24), as: UTF8.self)
    return .invalid(
      "\(source): byte \(position): expected \(expected), found \(found.debugDescription)")
  }
}
