public import TensorFiles

extension ModuleWeight {
  /// Bytes of a piece: they stay in a core's second-level cache while several things are done to them.
  private static var pieceBytes: Int { 1 << 18 }

  /// Calls `body` with the module's stored words, in the stored order, a piece at a time.
  ///
  /// The words are a copy that `body` may change; `first` is the position of a piece's first word. The
  /// tensors may be those of another folder with the same headers, a pruned one.
  /// - Parameter multiple: a piece holds a multiple of so many words, such as those of a row.
  /// - Precondition: `Word` is as wide as the weights' type, and every block holds a multiple.
  /// - Throws: `.readFailure` if a file shrank; whatever `body` throws.
  /// - Complexity: one pass over the bytes; 256 KB of memory, or one multiple, whatever the module's size.
  @specialized(where Word == UInt16)
  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  public func forEachPiece<Word: StoredWord>(
    in tensors: TensorCollection, as type: Word.Type, multipleOf multiple: Int = 1,
    _ body: (_ first: Int, _ words: inout MutableSpan<Word>) throws(TensorFileError) -> Void
  ) throws(TensorFileError) {
    let longest = max(Self.pieceBytes / MemoryLayout<Word>.size / multiple, 1) * multiple
    var buffer: [Word] = []
    var first = 0
    for block in blocks {
      let end = block.firstElement + block.elements
      guard let entry = tensors[block.tensor], entry.elementType.bitWidth == Word.bitWidth,
        end <= entry.elementCount
      else { preconditionFailure("no such words") }
      let (file, offset) = tensors.place(of: block.tensor)
      let width = MemoryLayout<Word>.size
      var start = block.firstElement
      // A first piece up to a multiple of the others in the file, so that they are whole pages of it.
      let before = offset / width + start
      var count = multiple == 1 ? longest - before % longest : longest
      while start < end {
        let elements = start..<min(start + count, end)
        (start, count) = (elements.upperBound, longest)
        if buffer.count != elements.count { buffer = [Word](repeating: 0, count: elements.count) }
        var words = buffer.mutableSpan
        try tensors.readWords(ofFile: file, at: offset + elements.lowerBound * width, into: &words)
        try body(first, &words)
        first += elements.count
      }
    }
  }
}
