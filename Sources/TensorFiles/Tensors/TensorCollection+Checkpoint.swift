extension TensorCollection {
  /// Opens the files of a Hugging Face checkpoint, by the rule of its loaders: `model.safetensors` if
  /// there is one, else the files that the index names, else every `*.safetensors`.
  ///
  /// Published folders hold other safetensors files beside these, such as a `consolidated.safetensors`
  /// with the same weights under other names: they are not looked at, and ``files`` does not list them.
  /// Statistics have no such rule, so ``init(path:)`` refuses a file that the index does not name.
  ///
  /// - Throws: what ``init(path:)`` throws; `.badData` if `path` is no folder.
  public init(checkpoint path: String) throws(TensorFileError) {
    guard try FolderListing.isFolder(path) else {
      throw TensorFileError(
        .badData, path: path, "is a file, but a checkpoint is a folder",
        advice: "give the folder that holds config.json and the *.safetensors")
    }
    let entries = try FolderListing.names(in: path)
    if entries.contains(Self.singleFileName) {
      try self.init(path: path, isFolder: true, fileNames: [Self.singleFileName], index: nil)
      return
    }
    let index = try Self.index(entries, in: path)
    let present = try Self.shards(entries, in: path)
    let named = Set(index?.entries.map(\.file) ?? [])
    let fileNames = index == nil ? present : present.filter(named.contains)
    guard !fileNames.isEmpty else {
      throw TensorFileError(
        .missingInput, path: path, "none of the \(named.count) files that the index names is there",
        advice: "copy the missing files")
    }
    try self.init(path: path, isFolder: true, fileNames: fileNames, index: index)
  }

  /// The name under which loaders look first.
  private static let singleFileName = "model.safetensors"

  /// One file of a collection.
  public struct File: Sendable, Equatable {
    /// Without folders.
    public let name: String
    public let byteCount: Int
    /// Bytes before the data: the header and its length.
    public let headerByteCount: Int
  }

  /// The opened files, in bytewise order of their names.
  public var files: [File] {
    members.indices.map { index in
      let member = members[index]
      let bytes = stored.reduce(0) {
        $0 + ($1.location.fileIndex == index ? $1.entry.byteCount : 0)
      }
      return File(
        name: member.name, byteCount: member.file.byteCount,
        headerByteCount: member.file.byteCount - bytes)
    }
  }

  /// Where a tensor's bytes begin: which of ``files``, and the offset in it.
  ///
  /// - Precondition: `self[name] != nil`.
  public func place(of name: String) -> (file: Int, byteOffset: Int) {
    guard let found = find(name) else { preconditionFailure("no tensor \(printable(name))") }
    return (found.location.fileIndex, found.location.byteOffset)
  }

  /// Calls `body` with pieces of a file's bytes as they are stored, in order; `offset` is that of a
  /// piece's first byte in the file. In memory is a piece at a time.
  ///
  /// - Precondition: the range lies within file number `file`.
  /// - Throws: `.readFailure` if the file shrank; whatever `body` throws.
  public func forEachPiece(
    ofFile file: Int, _ range: Range<Int>,
    _ body: (_ offset: Int, RawSpan) throws(TensorFileError) -> Void
  ) throws(TensorFileError) {
    try members[file].file.forEachPiece(at: range.lowerBound, count: range.count) {
      (first: Int, bytes: RawSpan) throws(TensorFileError) in
      try body(range.lowerBound + first, bytes)
    }
  }
}
