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
    try requireFloatingPoint(stored)
    precondition(destination.count == stored.entry.elementCount)
    try forEachPiece(of: stored, 0..<destination.count) { places, bytes in
      T.decode(bytes, of: stored.entry.elementType, into: &destination, from: places.lowerBound)
    }
  }

  /// Decodes a tensor and insists that every element is finite.
  ///
  /// - Throws: what ``read(_:into:)`` throws; `.nonFinite` naming the first nan, inf or -inf;
  ///   `.beyondSinglePrecision` naming the first F64 value that `Float` cannot hold. `destination`
  ///   then holds what was decoded.
  /// - Complexity: O(elements); every byte is touched once.
  public func readFinite<T: DecodedElement>(
    _ name: String, into destination: inout MutableSpan<T>
  ) throws(TensorFileError) {
    try readFinite(name, elements: 0..<destination.count, into: &destination)
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
    var none = PassingHash()
    try readFinite(name, elements: range, into: &destination, isHashed: false, &none)
  }

  /// The same, with the stored bytes hashed as they pass by: they are then read once for both.
  public func readFinite<T: DecodedElement>(
    _ name: String, elements range: Range<Int>, into destination: inout MutableSpan<T>,
    hashing hash: inout PassingHash
  ) throws(TensorFileError) {
    try readFinite(name, elements: range, into: &destination, isHashed: true, &hash)
  }

  private func readFinite<T: DecodedElement>(
    _ name: String, elements range: Range<Int>, into destination: inout MutableSpan<T>,
    isHashed: Bool, _ hash: inout PassingHash
  ) throws(TensorFileError) {
    let stored = try require(name)
    try requireFloatingPoint(stored)
    precondition(
      range.lowerBound >= 0 && range.upperBound <= stored.entry.elementCount
        && destination.count == range.count)
    let type = stored.entry.elementType
    try forEachPiece(of: stored, range) {
      (places: Range<Int>, bytes: RawSpan) throws(TensorFileError) in
      let elements = range.lowerBound + places.lowerBound..<range.lowerBound + places.upperBound
      let allFinite =
        isHashed
        ? hash.decode(
          bytes, elements: elements, of: type, into: &destination, from: places.lowerBound)
        : T.decodeChecked(bytes, of: type, into: &destination, from: places.lowerBound)
      if allFinite { return }
      let values = destination.span.extracting(places)
      guard let position = T.firstNonFinite(in: values) else { return }
      throw try refusal(
        of: elements.lowerBound + position, in: stored, decoded: Double(values[position]))
    }
  }

  /// The stored bytes of consecutive elements piece by piece, with the places of each piece's in the range: for
  /// what is done to them while they are in cache.
  private func forEachPiece(
    of stored: Stored, _ range: Range<Int>,
    _ body: (_ places: Range<Int>, _ bytes: RawSpan) throws(TensorFileError) -> Void
  ) throws(TensorFileError) {
    let width = stored.entry.elementType.bitWidth / 8
    try members[stored.location.fileIndex].file.forEachPiece(
      at: stored.location.byteOffset + range.lowerBound * width, count: range.count * width,
      stride: width
    ) { (offset: Int, bytes: RawSpan) throws(TensorFileError) in
      try body(offset / width..<(offset + bytes.byteCount) / width, bytes)
    }
  }

  /// The diagonal of a square matrix, without the rest of it.
  ///
  /// - Precondition: the tensor's shape is [n, n].
  /// - Throws: what ``readFinite(_:into:)`` throws.
  /// - Complexity: n readings of one element.
  public func readFiniteDiagonal(_ name: String) throws(TensorFileError) -> [Double] {
    let stored = try require(name)
    try requireFloatingPoint(stored)
    let (shape, type) = (stored.entry.shape, stored.entry.elementType)
    precondition(shape.count == 2 && shape[0] == shape[1], "only a square matrix has a diagonal")
    let width = type.bitWidth / 8
    let bytes = try members[stored.location.fileIndex].file.gather(
      at: stored.location.byteOffset, count: shape[0], of: width, step: (shape[0] + 1) * width)
    var diagonal = [Double](repeating: 0, count: shape[0])
    var places = diagonal.mutableSpan
    Double.decode(unsafe bytes.span.bytes, of: type, into: &places, from: 0)
    if let index = Double.firstNonFinite(in: diagonal.span) {
      throw try refusal(of: index * (shape[0] + 1), in: stored, decoded: diagonal[index])
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
    let width = type.bitWidth / 8
    try forEachPiece(of: stored) { (offset: Int, bytes: RawSpan) throws(TensorFileError) in
      var all = integers.mutableSpan
      if type == .signed64 {
        fill(&all, offset / width, from: bytes) { (word: Int64) in word }
      } else {
        fill(&all, offset / width, from: bytes) { (word: Int32) in Int64(word) }
      }
    }
    return integers
  }

  /// XXH64 (seed 0) of a tensor's bytes as stored, whatever its type; in memory is a piece of it at a
  /// time.
  ///
  /// - Throws: `.noSuchTensor`, or `.readFailure` if the file shrank.
  public func checksum(of name: String) throws(TensorFileError) -> UInt64 {
    var hash = XXHash64()
    try forEachPiece(of: try require(name)) { _, bytes in hash.update(bytes) }
    return hash.digest
  }

  /// Lets the system begin to read consecutive elements of a tensor, by their row-major positions.
  ///
  /// It may block until the disk has taken them all, so it belongs on a thread of its own. An advice: it
  /// never fails, and what it brings stays in the system's cache, not in this process.
  /// - Precondition: the tensor exists and `range` lies in it.
  public func willRead(_ name: String, elements range: Range<Int>) {
    guard let stored = find(name) else { preconditionFailure("no tensor \(printable(name))") }
    let width = stored.entry.elementType.bitWidth / 8
    members[stored.location.fileIndex].file.willRead(
      at: stored.location.byteOffset + range.lowerBound * width, count: range.count * width)
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

  private func forEachPiece(
    of stored: Stored, _ body: (_ offset: Int, RawSpan) throws(TensorFileError) -> Void
  ) throws(TensorFileError) {
    try members[stored.location.fileIndex].file.forEachPiece(
      at: stored.location.byteOffset, count: stored.entry.byteCount, stride: 8, body)
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
      let bytes = try members[stored.location.fileIndex].file.copyBytes(
        at: stored.location.byteOffset + position * 8, count: 8)
      let original = Double(
        bitPattern: bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
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
