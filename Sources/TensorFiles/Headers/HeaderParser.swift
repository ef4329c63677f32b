/// A header as its JSON says it, before any statement in it has been compared with the file.
struct ParsedHeader {
  var metadata: [String: String] = [:]
  var tensors: [ParsedTensor] = []
}

/// One tensor entry as written: three fields of the right JSON type, nothing more is known.
struct ParsedTensor {
  let name: String
  let elementType: ElementType
  let shape: [Int]
  /// Offsets from the start of the data, as written: `begin` may exceed `end`.
  let begin: Int
  let end: Int
}

/// Reads the JSON of a header: grammar, field types, and no key twice in any object that counts.
///
/// - Complexity: O(n log n) for n header bytes (duplicates are found by sorting).
enum HeaderParser {
  static let metadataKey = "__metadata__"

  static func parse(_ bytes: [UInt8], path: String) throws(TensorFileError) -> ParsedHeader {
    var scanner = JSONScanner(bytes, path: path, part: "header")
    var header = ParsedHeader()
    var names: [String] = []
    try scanner.object("the header") {
      (scanner: inout JSONScanner, name) throws(TensorFileError) in
      names.append(name)
      scanner.key = name
      if sameBytes(name, metadataKey) {
        // A second one ends below as a duplicate name.
        header.metadata = try scanner.textDictionary("metadata")
      } else {
        header.tensors.append(try tensor(name, &scanner))
      }
      scanner.key = nil
    }
    try scanner.expectEnd()
    if let name = firstDuplicate(in: names) {
      scanner.key = name
      throw scanner.failure(
        "the name occurs more than once in the header, the limit is 1", advice: renameAdvice)
    }
    return header
  }

  private static let renameAdvice = "write the file anew with every name once"

  private static func tensor(
    _ name: String, _ scanner: inout JSONScanner
  ) throws(TensorFileError) -> ParsedTensor {
    var fields: [String] = []
    var elementType: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object("a tensor entry") {
      (scanner: inout JSONScanner, field) throws(TensorFileError) in
      fields.append(field)
      switch field {
      case "dtype": elementType = try Self.elementType(&scanner)
      case "shape": shape = try scanner.naturalNumbers("shape")
      case "data_offsets": offsets = try scanner.naturalNumbers("data_offsets")
      default: try scanner.skipValue()
      }
    }
    if let field = firstDuplicate(in: fields) {
      throw scanner.failure(
        "the field \"\(printable(field))\" occurs more than once in the entry, the limit is 1",
        advice: renameAdvice)
    }
    guard let elementType else { throw missing("dtype", scanner) }
    guard let shape else { throw missing("shape", scanner) }
    guard let offsets else { throw missing("data_offsets", scanner) }
    guard offsets.count == 2 else {
      throw scanner.failure(
        "data_offsets \(printable(offsets)) has \(offsets.count) numbers, it must have 2")
    }
    return ParsedTensor(
      name: name, elementType: elementType, shape: shape, begin: offsets[0], end: offsets[1])
  }

  private static func missing(_ field: String, _ scanner: JSONScanner) -> TensorFileError {
    scanner.failure("the entry has no field \"\(field)\"")
  }

  private static func elementType(
    _ scanner: inout JSONScanner
  ) throws(TensorFileError) -> ElementType {
    let text = try scanner.string("dtype")
    guard let type = ElementType(rawValue: text) else {
      throw scanner.failure(
        "dtype \"\(printable(text))\" is not one of the \(ElementType.allCases.count) known types",
        advice: "convert the tensor to F64, F32, F16 or BF16")
    }
    return type
  }
}

extension JSONScanner {
  fileprivate mutating func naturalNumbers(_ what: String) throws(TensorFileError) -> [Int] {
    var numbers: [Int] = []
    try array(what) { (scanner: inout JSONScanner) throws(TensorFileError) in
      numbers.append(try scanner.naturalNumber(what))
    }
    return numbers
  }

  /// Reads an object whose values are all strings, each key once.
  ///
  /// Keys that differ only by Unicode normalization are refused as well: a Swift dictionary could
  /// hold only one of them.
  mutating func textDictionary(_ what: String) throws(TensorFileError) -> [String: String] {
    let outerKey = key
    var result: [String: String] = [:]
    try object(what) { (scanner: inout JSONScanner, name) throws(TensorFileError) in
      scanner.key = name
      let value = try scanner.string("the value of a key in \(what), a string")
      guard result.updateValue(value, forKey: name) == nil else {
        throw scanner.failure(
          "the key occurs more than once in \(what), the limit is 1",
          advice: "write the file anew with every key once")
      }
    }
    key = outerKey
    return result
  }
}
