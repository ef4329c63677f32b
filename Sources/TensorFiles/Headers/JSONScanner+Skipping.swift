// Fields the format does not know are ignored, as the reference does, but they must be JSON: a file
// that two parsers could read in two ways is refused even where we would not look.

extension JSONScanner {
  /// Consumes one well-formed value of any kind.
  mutating func skipValue() throws(TensorFileError) {
    switch peek() {
    case UInt8(ascii: "{"):
      try object("an extra object") {
        (scanner: inout JSONScanner, _) throws(TensorFileError) in try scanner.skipValue()
      }
    case UInt8(ascii: "["):
      try array("an extra array") {
        (scanner: inout JSONScanner) throws(TensorFileError) in try scanner.skipValue()
      }
    case UInt8(ascii: "\""): _ = try string("an extra string")
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    default: try skipNumber()
    }
  }

  private mutating func word(_ word: StaticString) throws(TensorFileError) {
    let letters = Array("\(word)".utf8)
    guard bytes[position...].starts(with: letters) else { throw unexpected("\(word)") }
    position += letters.count
  }

  private mutating func skipDigits() throws(TensorFileError) {
    let start = position
    while let byte = current, case 0x30...0x39 = byte { position += 1 }
    if position == start { throw unexpected("a value") }
  }

  private mutating func skipNumber() throws(TensorFileError) {
    if current == UInt8(ascii: "-") { position += 1 }
    let leading = position
    try skipDigits()
    if bytes[leading] == 0x30 && position - leading > 1 {
      throw failure("\(part) byte \(leading): a number has a leading zero")
    }
    if current == UInt8(ascii: ".") {
      position += 1
      try skipDigits()
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try skipDigits()
    }
  }
}
