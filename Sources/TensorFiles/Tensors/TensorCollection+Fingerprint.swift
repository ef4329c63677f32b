extension TensorCollection {
  /// A number for what the headers say: tensor names, types and shapes, and the metadata.
  ///
  /// It does not depend on file names, paths, the order in a file, or on how the tensors are spread
  /// over files, and `total_size` is left out; nor does it depend on the data, which is what
  /// ``checksum(of:)`` is for. Every text is preceded by its length, so that no two collections
  /// run together to the same bytes.
  ///
  /// - Complexity: O(header bytes).
  public var headerFingerprint: UInt64 {
    var bytes: [UInt8] = []
    func append(_ number: Int) {
      for shift in stride(from: 0, to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: number >> shift))
      }
    }
    func append(_ text: String) {
      append(text.utf8.count)
      bytes += text.utf8
    }
    append(stored.count)
    for tensor in stored {
      append(tensor.entry.name)
      append(tensor.entry.elementType.rawValue)
      append(tensor.entry.shape.count)
      for size in tensor.entry.shape { append(size) }
    }
    for (key, value) in metadata.sorted(by: { precedesBytewise($0.key, $1.key) })
    where key != Self.totalSizeKey {
      append(key)
      append(value)
    }
    return XXHash64.hash(bytes)
  }

  /// A number for the headers and a sample of the data: 64 bytes at the beginning, in the middle and at
  /// the end of 256 tensors, evenly chosen from all.
  ///
  /// Hosts that see different files under one path differ in it unless the files hardly differ; a
  /// single changed value may go unseen. Reading everything to compare it would take as long as the
  /// work.
  /// - Throws: `.readFailure` if a file shrank.
  /// - Complexity: O(header bytes), and 768 places of the files.
  public func sampledFingerprint() throws(TensorFileError) -> UInt64 {
    let chosen = 256
    let piece = 64
    var hash = XXHash64(seed: headerFingerprint)
    for index in stride(from: 0, to: stored.count, by: max(stored.count / chosen, 1)) {
      let (entry, location) = (stored[index].entry, stored[index].location)
      for start in [0, entry.byteCount / 2, max(entry.byteCount - piece, 0)] {
        let first = location.byteOffset + start
        let end = min(first + piece, location.byteOffset + entry.byteCount)
        try forEachPiece(ofFile: location.fileIndex, first..<end) { _, bytes in hash.update(bytes) }
      }
    }
    return hash.digest
  }
}
