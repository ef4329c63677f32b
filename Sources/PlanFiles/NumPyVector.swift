/// The numbers of a `.npy` file that holds one row of them.
///
/// Versions 1 to 3 of the format; `f4`, `f8`, `i4` and `i8` in either byte order. Whole numbers beyond
/// 2⁵³ are rounded. A row has one order only, so `fortran_order` says nothing.
struct NumPyVector {
  let values: [Double]

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// - Throws: for another shape or type, and for a file that is longer or shorter than its header says.
  init(bytes: [UInt8], source: String) throws(PlanFileError) {
    // 1. How long the header is.
    guard bytes.starts(with: Self.magic), bytes.count >= 10 else {
      throw .invalid("\(source): is too short for a NumPy file")
    }
    let version = Int(bytes[6])
    guard (1...3).contains(version) else {
      throw .invalid("\(source): is a NumPy file of version \(version), but only 1 to 3 are known")
    }
    let lengthBytes = version == 1 ? 2 : 4
    guard bytes.count >= 8 + lengthBytes else {
      throw .invalid("\(source): is too short for a NumPy file")
    }
    let length = bytes[8..<8 + lengthBytes].reversed().reduce(0) { $0 << 8 | Int($1) }
    let start = 8 + lengthBytes + length
    guard start <= bytes.count else {
      throw .invalid(
        "\(source): its header says \(length) bytes, but the file ends after \(bytes.count); it may be "
          + "truncated")
    }
    // 2. What it says.
    let header = try Header(bytes[8 + lengthBytes..<start], source: source)
    let (size, overflow) = header.count.multipliedReportingOverflow(by: header.element.width)
    guard !overflow, size == bytes.count - start else {
      throw .invalid(
        "\(source): \(header.count) values of \(header.element.width) bytes do not fill the "
          + "\(bytes.count - start) bytes after the header; it may be truncated")
    }
    // 3. The values.
    values = (0..<header.count).map { index in
      let first = start + index * header.element.width
      return header.element.value(bytes[first..<first + header.element.width])
    }
  }

  private struct Header {
    let element: Element
    let count: Int

    init(_ bytes: ArraySlice<UInt8>, source: String) throws(PlanFileError) {
      guard case .table(let members) = try PlainLiteral(bytes: bytes, source: source) else {
        throw .invalid("\(source): its NumPy header is no dictionary")
      }
      let fields = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
      guard case .text(let type)? = fields["descr"], let element = Element(type) else {
        throw .invalid(
          "\(source): its elements are of type \(fields["descr"]?.kind ?? "unknown"), but scores must be "
            + "f4, f8, i4 or i8; save them with .astype(\"float64\")")
      }
      guard case .list(let shape)? = fields["shape"] else {
        throw .invalid("\(source): its NumPy header has no shape")
      }
      let sizes = shape.map { size in
        if case .number(let number) = size { number } else { Double.nan }
      }
      guard sizes.count == 1, let count = Int(exactly: sizes[0]), count >= 0 else {
        let text = sizes.map { size in Int(exactly: size).map(String.init) ?? "\(size)" }
        throw .invalid(
          "\(source): has the shape (\(text.joined(separator: ", "))), but scores are one row of "
            + "numbers; save them with .ravel()")
      }
      self.element = element
      self.count = count
    }
  }

  /// `<f8` and the like.
  private struct Element {
    let width: Int
    private let isBigEndian: Bool
    private let isFloatingPoint: Bool

    init?(_ text: String) {
      let letters = Array(text.utf8)
      guard letters.count == 3, "<>=".utf8.contains(letters[0]) else { return nil }
      switch text.dropFirst() {
      case "f4", "i4": width = 4
      case "f8", "i8": width = 8
      default: return nil
      }
      isBigEndian = letters[0] == UInt8(ascii: ">")
      isFloatingPoint = letters[1] == UInt8(ascii: "f")
    }

    func value(_ bytes: ArraySlice<UInt8>) -> Double {
      let ordered = isBigEndian ? Array(bytes) : bytes.reversed()
      let bits = ordered.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      switch (isFloatingPoint, width) {
      case (true, 4): return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
      case (true, _): return Double(bitPattern: bits)
      case (false, 4): return Double(Int32(truncatingIfNeeded: bits))
      case (false, _): return Double(Int64(bitPattern: bits))
      }
    }
  }
}
