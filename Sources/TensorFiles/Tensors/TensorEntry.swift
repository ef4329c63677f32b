/// What a header says of one tensor: its name, type and shape. Holds none of the tensor's values.
///
/// Two entries are equal when name (byte for byte), type and shape are, wherever they are stored.
public struct TensorEntry: Sendable, Equatable {
  /// The key in the header, after unescaping.
  public let name: String
  public let elementType: ElementType
  /// Sizes of the axes, slowest first (row-major). `[]` is a scalar; a 0 makes the tensor empty.
  public let shape: [Int]
  /// Bytes of data: `elementCount * elementType.bitWidth / 8`, checked against the file.
  public let byteCount: Int

  /// The product of `shape`; 1 for a scalar. Cannot overflow: the header was validated.
  public var elementCount: Int { shape.reduce(1, *) }

  public static func == (left: Self, right: Self) -> Bool {
    sameBytes(left.name, right.name) && left.elementType == right.elementType
      && left.shape == right.shape && left.byteCount == right.byteCount
  }

  /// The index along every axis of the element at `flatIndex`, for messages: `[row, column]`.
  ///
  /// - Precondition: `0 <= flatIndex && flatIndex < elementCount`.
  func index(ofElement flatIndex: Int) -> [Int] {
    var rest = flatIndex
    var index: [Int] = []
    for size in shape.reversed() {
      index.append(rest % size)
      rest /= size
    }
    return index.reversed()
  }
}

/// Where a tensor's bytes are: the file, by its place in the collection, and the first byte there.
struct TensorLocation: Sendable {
  let fileIndex: Int
  let byteOffset: Int
}
