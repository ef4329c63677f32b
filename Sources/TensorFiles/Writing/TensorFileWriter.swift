/// Writes one safetensors file that ``TensorCollection`` and every other loader accept.
///
/// Same arguments, same bytes: tensors are stored by falling element size, then by name, as the
/// reference does, which aligns every tensor to its element; metadata keys are sorted; the header
/// is padded with blanks to a multiple of 8. The file appears complete or not at all.
public struct TensorFileWriter {
  /// Writes the tensors to `path`, replacing a file that is there. The order given does not matter.
  ///
  /// - Parameters:
  ///   - tensors: `bytes` are little-endian elements, row-major, exactly as many as `shape` and
  ///     `elementType` say.
  ///   - metadata: left out of the file if empty.
  /// - Throws: `.badData` if the arguments do not make a valid file (a name twice or
  ///   `__metadata__`, sizes that disagree, a header over the limit); `.writeFailure` if the system
  ///   refuses. Nothing is then at `path` that was not there before, except that a failed sync of
  ///   the folder comes after the rename.
  public static func write(
    _ tensors: [(name: String, elementType: ElementType, shape: [Int], bytes: [UInt8])],
    metadata: [String: String], to path: String
  ) throws(TensorFileError) {
    let ordered = tensors.sorted {
      $0.elementType.bitWidth != $1.elementType.bitWidth
        ? $0.elementType.bitWidth > $1.elementType.bitWidth
        : precedesBytewise($0.name, $1.name)
    }
    // 1. Where everything goes; checked by the reader's own rules.
    var parsed: [ParsedTensor] = []
    var position = 0
    for tensor in ordered {
      try check(tensor.name, tensor.shape, path: path)
      let end = position + tensor.bytes.count
      parsed.append(
        ParsedTensor(
          name: tensor.name, elementType: tensor.elementType, shape: tensor.shape, begin: position,
          end: end))
      position = end
    }
    if let name = firstDuplicate(in: ordered.map(\.name)) {
      throw TensorFileError(
        .badData, path: path, key: name, "the name occurs more than once, the limit is 1",
        advice: "give every tensor a name of its own")
    }
    _ = try HeaderValidation.layout(parsed, dataBytes: position, path: path)

    // 2. The header, padded so that the data begin on a multiple of 8.
    var header = Array(headerText(parsed, metadata: metadata).utf8)
    header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
    guard header.count <= HeaderLimits.headerBytes else {
      throw TensorFileError(
        .badData, path: path,
        "the header would have \(header.count) bytes, the limit is \(HeaderLimits.headerBytes)",
        advice: "spread the tensors over several files")
    }

    // 3. Length, header, data.
    var file = try OutputFile(path: path)
    try file.append(bytes(of: [Int64(header.count)]))
    try file.append(header)
    for tensor in ordered { try file.append(tensor.bytes) }
    try file.commit()
  }

  private static func check(
    _ name: String, _ shape: [Int], path: String
  ) throws(TensorFileError) {
    guard !sameBytes(name, HeaderParser.metadataKey) else {
      throw TensorFileError(
        .badData, path: path, key: name, "the name is reserved for metadata",
        advice: "give the tensor another name")
    }
    guard !shape.contains(where: { $0 < 0 }) else {
      throw TensorFileError(
        .badData, path: path, key: name, "shape \(printable(shape)) has an axis below 0",
        advice: "check the sizes")
    }
  }

  private static func headerText(
    _ tensors: [ParsedTensor], metadata: [String: String]
  ) -> String {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { precedesBytewise($0.key, $1.key) }
        .map { "\(quoted($0.key)):\(quoted($0.value))" }
      members.append("\"\(HeaderParser.metadataKey)\":{\(pairs.joined(separator: ","))}")
    }
    for tensor in tensors {
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.elementType.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(tensor.begin),\(tensor.end)]}")
    }
    return "{\(members.joined(separator: ","))}"
  }

  /// A JSON string. Only what must be escaped is.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\0"..."\u{1F}":
        result += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

// MARK: Bytes of numbers

extension TensorFileWriter {
  /// The bytes of an F32 tensor, little endian.
  public static func bytes(of values: [Float]) -> [UInt8] {
    littleEndianBytes(values.map(\.bitPattern))
  }

  /// The bytes of an F64 tensor, little endian.
  public static func bytes(of values: [Double]) -> [UInt8] {
    littleEndianBytes(values.map(\.bitPattern))
  }

  /// The bytes of an I64 tensor, little endian.
  public static func bytes(of values: [Int64]) -> [UInt8] {
    littleEndianBytes(values)
  }

  private static func littleEndianBytes<Word: FixedWidthInteger>(_ words: [Word]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(words.count * MemoryLayout<Word>.size)
    for word in words {
      var rest = word
      for _ in 0..<MemoryLayout<Word>.size {
        bytes.append(UInt8(truncatingIfNeeded: rest))
        rest >>= 8
      }
    }
    return bytes
  }
}
