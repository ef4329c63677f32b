/// Compares what a header says with the file it is in. After this, every byte of the data belongs
/// to exactly one tensor, so that no second format can hide in the file.
///
/// The rules are those of the reference implementation (huggingface/safetensors, `tensor.rs`).
enum HeaderValidation {
  /// The header's first byte is `HeaderLimits.lengthPrefix`.
  ///
  /// - Parameters:
  ///   - prefix: the first 8 bytes of the file, or all of it when it is shorter.
  ///   - fileBytes: size of the file.
  /// - Returns: length of the JSON header.
  ///   Postcondition: `result <= HeaderLimits.headerBytes && 8 + result <= fileBytes`.
  static func headerLength(
    prefix: [UInt8], fileBytes: Int, path: String
  ) throws(TensorFileError) -> Int {
    guard prefix.count >= HeaderLimits.lengthPrefix else {
      throw TensorFileError(
        .badData, path: path,
        "the file has \(fileBytes) bytes, a safetensors file has at least "
          + "\(HeaderLimits.lengthPrefix)", advice: "copy or download it anew")
    }
    let length = prefix.prefix(HeaderLimits.lengthPrefix).reversed()
      .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= HeaderLimits.headerBytes else {
      throw TensorFileError(
        .badData, path: path,
        "the header says it has \(length) bytes, the limit is \(HeaderLimits.headerBytes)",
        advice: "the file is damaged or not a safetensors file; write or download it anew")
    }
    guard Int(length) <= fileBytes - HeaderLimits.lengthPrefix else {
      throw TensorFileError(
        .badData, path: path,
        "the header says it has \(length) bytes, but only "
          + "\(fileBytes - HeaderLimits.lengthPrefix) follow in the file",
        advice: "the file is cut short or not a safetensors file; copy or download it anew")
    }
    return Int(length)
  }

  /// Checks sizes and offsets of all tensors.
  ///
  /// - Parameters:
  ///   - dataBytes: bytes of the file after the header.
  /// - Returns: every tensor with the offset of its first byte within the data, in file order.
  ///   Postcondition: ranges follow each other without hole or overlap from 0 to `dataBytes`.
  /// - Complexity: O(t log t) for t tensors.
  static func layout(
    _ tensors: [ParsedTensor], dataBytes: Int, path: String
  ) throws(TensorFileError) -> [(entry: TensorEntry, begin: Int)] {
    func failure(_ tensor: ParsedTensor, _ problem: String) -> TensorFileError {
      TensorFileError(
        .badData, path: path, key: tensor.name, problem,
        advice: "the header does not describe this file; write or download it anew")
    }

    var result: [(entry: TensorEntry, begin: Int)] = []
    var position = 0
    for tensor in tensors.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      let range = printable([tensor.begin, tensor.end])
      guard tensor.begin <= tensor.end else {
        throw failure(tensor, "data_offsets \(range) end before they begin")
      }
      guard tensor.begin == position else {
        throw failure(
          tensor,
          "data_offsets \(range) begin at \(tensor.begin), but must begin at \(position), where "
            + "the tensor before ends: \(tensor.begin > position ? "a hole" : "an overlap")")
      }
      let byteCount: Int
      switch self.byteCount(tensor) {
      case .success(let count): byteCount = count
      case .failure(let reason): throw failure(tensor, reason.text)
      }
      guard tensor.end - tensor.begin == byteCount else {
        throw failure(
          tensor,
          "data_offsets \(range) span \(tensor.end - tensor.begin) bytes, but shape "
            + "\(printable(tensor.shape)) of \(tensor.elementType.rawValue) takes \(byteCount)")
      }
      guard tensor.end <= dataBytes else {
        throw failure(
          tensor,
          "data_offsets \(range) end \(tensor.end - dataBytes) bytes beyond the file's "
            + "\(dataBytes) bytes of data: it is cut short")
      }
      position = tensor.end
      let entry = TensorEntry(
        name: tensor.name, elementType: tensor.elementType, shape: tensor.shape,
        byteCount: byteCount)
      result.append((entry, tensor.begin))
    }
    guard position == dataBytes else {
      throw TensorFileError(
        .badData, path: path,
        "the tensors take \(position) bytes, but \(dataBytes) follow the header: "
          + "\(dataBytes - position) bytes belong to no tensor",
        advice: "the file is damaged or hides a second one; write or download it anew")
    }
    return result
  }

  private struct Reason: Error { let text: String }

  /// Bytes of a tensor, by multiplications that cannot wrap around to a small number.
  private static func byteCount(_ tensor: ParsedTensor) -> Result<Int, Reason> {
    let shape = "shape \(printable(tensor.shape)) of \(tensor.elementType.rawValue)"
    // Elements first, as in the reference: a 0 forgives a large axis after it, not one before it.
    var elements = 1
    for size in tensor.shape {
      let (product, overflow) = elements.multipliedReportingOverflow(by: size)
      if overflow {
        return .failure(Reason(text: "\(shape) has more than \(Int.max) elements"))
      }
      elements = product
    }
    let (bits, overflow) = elements.multipliedReportingOverflow(by: tensor.elementType.bitWidth)
    if overflow { return .failure(Reason(text: "\(shape) has more than \(Int.max) bits")) }
    if bits % 8 != 0 {
      return .failure(
        Reason(text: "\(shape) takes \(bits) bits, which is no whole number of bytes"))
    }
    return .success(bits / 8)
  }
}
