extension TensorCollection {
  /// Decodes a tensor, row-major, into `destination`; nan and inf pass through.
  ///
  /// F64, F32, F16 and BF16 are widened exactly; F64 to `Float` is rounded to nearest, which makes
  /// an infinity of a value beyond `Float`'s range. ``readFinite(_:into:)`` refuses all of these.
  /// A tensor with no elements reads nothing.
  ///
  /// - Parameters:
  ///   - destination: one place per element.
  /// - Precondition: `destination.count == self[name]!.elementCount`.
  /// - Throws: `.noSuchTensor`, `.wrongElementType`, or `.readFailure` if the file shrank.
  ///   `destination` is then unchanged.
  /// - Complexity: O(elements); every byte is touched once.
  public func read<T: DecodedElement>(
    _ name: String, into destination: inout MutableSpan<T>
  ) throws(TensorFileError) {
    let stored = try require(name)
    let entry = stored.entry
    try requireFloatingPoint(stored)
    precondition(destination.count == entry.elementCount)
    try withBytes(of: stored) { (bytes: RawSpan) throws(TensorFileError) in
      T.decode(bytes, of: entry.elementType, into: &destination)
    }
  }

  /// Decodes a tensor and insists that every element is finite.
  ///
  /// - Throws: what ``read(_:into:)`` throws; `.nonFinite` naming the first nan, inf or -inf;
  ///   `.beyondSinglePrecision` naming the first F64 value that `Float` cannot hold. `destination`
  ///   then holds what was decoded.
  /// - Complexity: O(elements), one more pass over the destination than ``read(_:into:)``.
  public func readFinite<T: DecodedElement>(
    _ name: String, into destination: inout MutableSpan<T>
  ) throws(TensorFileError) {
    try read(name, into: &destination)
    guard let position = T.firstNonFinite(in: destination.span) else { return }
    throw try refusal(of: position, in: try require(name), decoded: Double(destination[position]))
  }

  /// Decodes consecutive elements of a tensor, by their row-major positions, and insists that every
  /// one is finite. For a tensor too large to be held at once.
  ///
  /// - Precondition: `range` lies within the tensor's elements and `destination.count ==
  ///   range.count`.
  /// - Throws: what ``readFinite(_:into:)`` throws.
  /// - Complexity: O(range.count).
  public func readFinite<T: DecodedElement>(
    _ name: String, elements range: Range<Int>, into destination: inout MutableSpan<T>
  ) throws(TensorFileError) {
    let stored = try require(name)
    try requireFloatingPoint(stored)
    precondition(
      range.lowerBound >= 0 && range.upperBound <= stored.entry.elementCount
        && destination.count == range.count)
    let width = stored.entry.elementType.bitWidth / 8
    try members[stored.location.fileIndex].file.withBytes(
      at: stored.location.byteOffset + range.lowerBound * width, count: range.count * width
    ) { (bytes: RawSpan) throws(TensorFileError) in
      T.decode(bytes, of: stored.entry.elementType, into: &destination)
    }
    guard let position = T.firstNonFinite(in: destination.span) else { return }
    throw try refusal(
      of: range.lowerBound + position, in: stored, decoded: Double(destination[position]))
  }

  /// The diagonal of a square matrix, without the rest of it.
  ///
  /// - Precondition: the tensor's shape is [n, n].
  /// - Throws: what ``readFinite(_:into:)`` throws.
  /// - Complexity: O(n) elements, each on a page of its own.
  public func readFiniteDiagonal(_ name: String) throws(TensorFileError) -> [Double] {
    let shape = try require(name).entry.shape
    precondition(shape.count == 2 && shape[0] == shape[1], "only a square matrix has a diagonal")
    var diagonal: [Double] = []
    diagonal.reserveCapacity(shape[0])
    var element = [0.0]
    for index in 0..<shape[0] {
      let position = index * (shape[0] + 1)
      var place = element.mutableSpan
      try readFinite(name, elements: position..<position + 1, into: &place)
      diagonal.append(element[0])
    }
    return diagonal
  }

  /// The elements of an I64 or I32 tensor, row-major.
  ///
  /// - Throws: `.noSuchTensor`, `.wrongElementType`, or `.readFailure` if the file shrank.
  public func readIntegers(_ name: String) throws(TensorFileError) -> [Int64] {
    let stored = try require(name)
    let type = stored.entry.elementType
    guard type == .signed64 || type == .signed32 else {
      throw wrongType(
        stored, "dtype \(type.rawValue) is not I64 or I32",
        advice: "convert the tensor to I64")
    }
    var integers = [Int64](repeating: 0, count: stored.entry.elementCount)
    try withBytes(of: stored) { (bytes: RawSpan) throws(TensorFileError) in
      var destination = integers.mutableSpan
      if type == .signed64 {
        fill(&destination, from: bytes) { (word: Int64) in word }
      } else {
        fill(&destination, from: bytes) { (word: Int32) in Int64(word) }
      }
    }
    return integers
  }

  /// XXH64 (seed 0) of a tensor's bytes as stored, whatever its type; in memory is 16 MB of it at a time.
  ///
  /// - Throws: `.noSuchTensor`, or `.readFailure` if the file shrank.
  public func checksum(of name: String) throws(TensorFileError) -> UInt64 {
    let stored = try require(name)
    let (file, first) = (stored.location.fileIndex, stored.location.byteOffset)
    let end = first + stored.entry.byteCount
    var hash = XXHash64()
    for start in stride(from: first, to: end, by: 1 << 24) {
      try withBytes(ofFile: file, start..<min(start + 1 << 24, end)) { hash.update($0) }
    }
    return hash.digest
  }

  // MARK: Steps

  private func require(_ name: String) throws(TensorFileError) -> Stored {
    if let stored = find(name) { return stored }
    throw TensorFileError(
      .noSuchTensor, path: path, key: name, "none of the \(names.count) tensors has this name",
      advice: "check the name; it must match byte for byte")
  }

  private func requireFloatingPoint(_ stored: Stored) throws(TensorFileError) {
    let type = stored.entry.elementType
    guard !type.isFloatingPoint else { return }
    throw wrongType(
      stored, "dtype \(type.rawValue) is not a floating-point type",
      advice: "convert the tensor to F64, F32, F16 or BF16")
  }

  private func withBytes<Result>(
    of stored: Stored, _ body: (RawSpan) throws(TensorFileError) -> Result
  ) throws(TensorFileError) -> Result {
    try members[stored.location.fileIndex].file.withBytes(
      at: stored.location.byteOffset, count: stored.entry.byteCount, body)
  }

  private func wrongType(
    _ stored: Stored, _ problem: String, advice: String
  ) -> TensorFileError {
    TensorFileError(
      .wrongElementType, path: members[stored.location.fileIndex].file.path,
      key: stored.entry.name, problem, advice: advice)
  }

  /// The error for an element that decoded to no finite value: was it so, or is `T` too small?
  private func refusal(
    of position: Int, in stored: Stored, decoded: Double
  ) throws(TensorFileError) -> TensorFileError {
    let entry = stored.entry
    let path = members[stored.location.fileIndex].file.path
    let place = "element \(position) at \(printable(entry.index(ofElement: position)))"
    if entry.elementType == .float64 {
      let original = try withBytes(of: stored) { (bytes: RawSpan) throws(TensorFileError) in
        Double(
          bitPattern: UInt64(
            littleEndian: unsafe bytes.unsafeLoadUnaligned(
              fromByteOffset: position * 8, as: UInt64.self)))
      }
      if original.isFinite {
        return TensorFileError(
          .beyondSinglePrecision, path: path, key: entry.name,
          "\(place) is \(original), the limit of single precision is "
            + "\(Float.greatestFiniteMagnitude)", advice: "use double precision")
      }
    }
    let value = decoded.isNaN ? "nan" : decoded < 0 ? "-inf" : "inf"
    return TensorFileError(
      .nonFinite, path: path, key: entry.name, "\(place) is \(value), every element must be finite",
      advice: "look for a diverged or overflowed sample where the tensor was collected")
  }
}
