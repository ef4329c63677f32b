/// A strict pull parser over the bytes of one JSON text: RFC 8259, nothing more lenient.
///
/// The caller asks for what must come next and gets it or an error that names the file, the key
/// being read and the byte. It never builds a tree, so memory is the text plus one string. Numbers
/// are only ever non-negative integers here; the full grammar is checked where a value is skipped.
///
/// - Complexity: O(bytes) for a whole text.
struct JSONScanner {
  let bytes: [UInt8]
  private let path: String
  let part: String
  var position = 0
  private var depth = 0

  /// The tensor or metadata key being read, repeated in errors.
  var key: String?

  /// - Parameters:
  ///   - part: what the text is to a reader, such as `header`.
  init(_ bytes: [UInt8], path: String, part: String) {
    self.bytes = bytes
    self.path = path
    self.part = part
  }

  /// An error about this text and the current key.
  func failure(_ problem: String, advice: String = "write the file anew") -> TensorFileError {
    TensorFileError(.badData, path: path, key: key, problem, advice: advice)
  }

  /// The error that something else than `expected` stands at `place`, by default at `position`.
  func unexpected(_ expected: String, at place: Int? = nil) -> TensorFileError {
    let place = place ?? position
    return failure(
      "\(part) byte \(place): expected \(expected), found \(token(at: place))",
      advice: "the file is damaged or not JSON where it must be; write or download it anew")
  }

  /// What stands at `place`, for a message: up to 32 bytes, ended by white space or punctuation.
  private func token(at place: Int) -> String {
    guard place < bytes.count else { return "the end of the \(part)" }
    let token = bytes[place...].prefix(32).prefix {
      !($0 <= 0x20 || [0x22, 0x2C, 0x3A, 0x5B, 0x5D, 0x7B, 0x7D].contains($0))
    }
    guard token.count > 1 else { return printable(bytes[place]) }
    return "'\(printable(String(decoding: token, as: UTF8.self)))'"
  }

  /// The byte at `position`, which may be white space; `nil` at the end.
  var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// The next byte that is not white space, not consumed.
  mutating func peek() -> UInt8? {
    while let byte = current {
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return byte
      }
    }
    return nil
  }

  private mutating func accept(_ byte: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: byte) else { return false }
    position += 1
    return true
  }

  private mutating func expect(
    _ byte: Unicode.Scalar, _ meaning: @autoclosure () -> String
  ) throws(TensorFileError) {
    guard accept(byte) else { throw unexpected(meaning()) }
  }

  /// Everything but white space must be used up.
  mutating func expectEnd() throws(TensorFileError) {
    if peek() != nil { throw unexpected("nothing but white space after the closing '}'") }
  }

  // MARK: Containers

  /// Reads an object; `member` is called with each key and must consume exactly its value.
  ///
  /// Keys arrive in file order, unescaped, duplicates included: refusing them is up to the caller.
  mutating func object(
    _ what: String, member: (inout JSONScanner, String) throws(TensorFileError) -> Void
  ) throws(TensorFileError) {
    try enter("{", "'{' to begin \(what)")
    if accept("}") {
      depth -= 1
      return
    }
    repeat {
      let name = try string("a key of \(what)")
      try expect(":", "':' after the key \"\(printable(name))\"")
      try member(&self, name)
    } while accept(",")
    try expect("}", "',' or '}' in \(what)")
    depth -= 1
  }

  /// Reads an array; `element` must consume exactly one value.
  mutating func array(
    _ what: String, element: (inout JSONScanner) throws(TensorFileError) -> Void
  ) throws(TensorFileError) {
    try enter("[", "'[' to begin \(what)")
    if accept("]") {
      depth -= 1
      return
    }
    repeat { try element(&self) } while accept(",")
    try expect("]", "',' or ']' in \(what)")
    depth -= 1
  }

  private mutating func enter(
    _ bracket: Unicode.Scalar, _ meaning: @autoclosure () -> String
  ) throws(TensorFileError) {
    try expect(bracket, meaning())
    depth += 1
    guard depth <= HeaderLimits.nestingDepth else {
      throw failure(
        "\(part) byte \(position - 1): objects and arrays are nested \(depth) deep, the limit is "
          + "\(HeaderLimits.nestingDepth)", advice: "remove the extra fields")
    }
  }

  // MARK: Scalars

  /// Reads an integer in `0 ... Int.max`. A sign, fraction, exponent or leading zero is an error.
  mutating func naturalNumber(_ what: String) throws(TensorFileError) -> Int {
    guard let first = peek(), case 0x30...0x39 = first else {
      throw unexpected("a non-negative integer for \(what)")
    }
    let start = position
    var value = 0
    while let digit = current, case 0x30...0x39 = digit {
      let (tenfold, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = tenfold.addingReportingOverflow(Int(digit - 0x30))
      position += 1
      guard !tooLarge && !overflow else {
        let digits = String(decoding: bytes[start..<position].prefix(40), as: UTF8.self)
        throw failure("\(what) begins \(digits) and exceeds the limit \(Int.max)")
      }
      value = sum
    }
    if first == 0x30 && position - start > 1 {
      throw failure("\(part) byte \(start): \(what) has a leading zero")
    }
    switch current {
    case 0x2E, 0x45, 0x65:
      throw unexpected("an integer for \(what), without fraction or exponent", at: start)
    default: return value
    }
  }

  /// Reads a string and unescapes it. Refuses invalid UTF-8, raw controls and lone surrogates.
  mutating func string(_ what: String) throws(TensorFileError) -> String {
    try expect("\"", "'\"' to begin \(what)")
    let start = position
    var content: [UInt8] = []
    while true {
      guard let byte = current else { throw unexpected("'\"' to end \(what)") }
      switch byte {
      case 0x22:
        position += 1
        guard let text = String(validating: content, as: UTF8.self) else {
          throw failure("\(part) byte \(start): \(what) is not valid UTF-8")
        }
        return text
      case 0x5C:
        position += 1
        content += try escape().utf8
      case 0..<0x20: throw unexpected("an escape in place of a raw control character in \(what)")
      default:
        position += 1
        content.append(byte)
      }
    }
  }

  private mutating func escape() throws(TensorFileError) -> String {
    let start = position - 1
    let kind = current
    switch kind {
    case UInt8(ascii: "u"): return try unicodeEscape(from: start)
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: position += 1
    default: throw unexpected("one of \"\\/bfnrtu after a backslash")
    }
    switch kind {
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    default: return String(Unicode.Scalar(bytes[start + 1]))
    }
  }

  /// One scalar from `\uXXXX`, or from two of them that are a surrogate pair.
  private mutating func unicodeEscape(from start: Int) throws(TensorFileError) -> String {
    var code = try codeUnit()
    if case 0xD800..<0xDC00 = code, position + 1 < bytes.count, bytes[position] == 0x5C,
      bytes[position + 1] == UInt8(ascii: "u")
    {
      position += 1
      let low = try codeUnit()
      guard case 0xDC00..<0xE000 = low else { throw loneSurrogate(code, at: start) }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw loneSurrogate(code, at: start) }
    return String(scalar)
  }

  private func loneSurrogate(_ code: UInt32, at start: Int) -> TensorFileError {
    failure(
      "\(part) byte \(start): \\u\(String(code, radix: 16, uppercase: true)) is half of a "
        + "surrogate pair without its other half")
  }

  /// The four hexadecimal digits after `\u`; on entry `position` is at the `u`.
  private mutating func codeUnit() throws(TensorFileError) -> UInt32 {
    position += 1
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw unexpected("four hexadecimal digits after \\u")
      }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }
}
