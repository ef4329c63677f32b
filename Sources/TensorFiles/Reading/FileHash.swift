/// XXH64 of any regular file's bytes, a piece in memory at a time.
public enum FileHash {
  /// Of all bytes.
  public static func whole(_ path: String) throws(TensorFileError) -> UInt64 {
    let file = try StoredFile(path: path)
    var hash = XXHash64()
    try file.forEachPiece(at: 0, count: file.byteCount) { _, bytes in hash.update(bytes) }
    return hash.digest
  }

  /// Of the size, and of `pieces` pieces of `pieceBytes` spread evenly over the file: what is between
  /// them is not read.
  public static func sample(
    _ path: String, pieces: Int, pieceBytes: Int
  ) throws(TensorFileError) -> UInt64 {
    let file = try StoredFile(path: path)
    var sample = Array("\(file.byteCount) ".utf8)
    for piece in 0..<pieces {
      let start = file.byteCount / pieces * piece
      sample += try file.copyBytes(at: start, count: min(pieceBytes, file.byteCount - start))
    }
    return XXHash64.hash(sample)
  }
}
