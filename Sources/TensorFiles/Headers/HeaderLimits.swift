/// The limits a file must keep before anything of it is believed, each checked before it sizes an
/// allocation or a recursion.
enum HeaderLimits {
  /// Bytes that hold the header's length, a little-endian `UInt64`. Nothing shorter is a file.
  static let lengthPrefix = 8

  /// Longest JSON header in bytes: the reference's own limit, 100 decimal megabytes. An index file
  /// keeps the same limit.
  static let headerBytes = 100_000_000

  /// Deepest nesting of objects and arrays, the outermost included: serde_json's limit. A header
  /// needs three; only unknown extra fields can go deeper.
  static let nestingDepth = 128

  /// Most Unicode scalars of one foreign name or value that an error repeats. Scalars rather than
  /// characters, because one character can hide a thousand combining marks.
  static let quotedScalars = 160
}
