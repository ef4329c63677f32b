/// All tensors of one safetensors file, or of all such files in one folder, to be read.
///
/// Opening reads and checks every header, and no data: a collection that exists is one whose every
/// tensor lies where it says. Names are unique over all files and compared by their bytes.
/// Files are opened in bytewise order of their names; hidden files and subfolders are ignored,
/// links to files are followed. If a folder has an `*.index.json`, it must agree with the files
/// exactly.
public struct TensorCollection: Sendable {
  /// One file, opened, with its own metadata.
  struct Member: Sendable {
    let file: StoredFile
    let name: String
    let metadata: [String: String]
  }

  /// One tensor and where it is.
  struct Stored: Sendable {
    let entry: TensorEntry
    let location: TensorLocation
  }

  /// The file or folder, as given.
  let path: String
  let members: [Member]
  /// Sorted bytewise by name.
  let stored: [Stored]

  /// Names of all tensors, sorted by their UTF-8 bytes.
  public let names: [String]

  /// The files' metadata together. `total_size`, which is about a file and not about its content,
  /// is left out where the files differ in it.
  public let metadata: [String: String]

  /// Opens a file or a folder.
  ///
  /// - Throws: `.missingInput` if nothing is there, if a folder holds no `*.safetensors` or if its
  ///   index names a file that is missing; `.badData` if any rule of the format is broken;
  ///   `.readFailure` if the system refuses.
  /// - Complexity: O(h log h) for h header bytes in all. Keeps one descriptor open for each file.
  public init(path: String) throws(TensorFileError) {
    let isFolder = try FolderListing.isFolder(path)
    let entries = isFolder ? try FolderListing.names(in: path) : []
    try self.init(
      path: path, isFolder: isFolder,
      fileNames: isFolder ? try Self.shards(entries, in: path) : [Self.lastComponent(path)],
      index: try Self.index(entries, in: path))
  }

  /// Opens exactly the named files, which must agree with the index if there is one.
  init(
    path: String, isFolder: Bool, fileNames: [String], index: ShardIndex?
  ) throws(TensorFileError) {
    // 1. Every file on its own.
    var members: [Member] = []
    var stored: [Stored] = []
    for name in fileNames {
      let file = try StoredFile(path: isFolder ? Self.join(path, name) : path)
      let (metadata, tensors) = try Self.header(of: file)
      for (entry, offset) in tensors {
        let location = TensorLocation(fileIndex: members.count, byteOffset: offset)
        stored.append(Stored(entry: entry, location: location))
      }
      members.append(Member(file: file, name: name, metadata: metadata))
    }

    // 2. The files together.
    stored.sort { precedesBytewise($0.entry.name, $1.entry.name) }
    for (one, other) in zip(stored, stored.dropFirst())
    where sameBytes(one.entry.name, other.entry.name) {
      let files = [one, other].map { printablePath(members[$0.location.fileIndex].name) }.sorted()
      throw TensorFileError(
        .badData, path: path, key: one.entry.name,
        "the tensor is in both \"\(files[0])\" and \"\(files[1])\", it may be in one file only",
        advice: "remove the file that is left over from an earlier save")
    }
    self.metadata = try Self.merge(members, path: path)

    // 3. The index, if there is one.
    if let index {
      try index.check(
        files: fileNames,
        tensors: stored.map { ($0.entry.name, members[$0.location.fileIndex].name) })
    }
    self.path = path
    self.members = members
    self.stored = stored
    self.names = stored.map(\.entry.name)
  }

  /// The entry of a tensor, or `nil` if there is none of that name, byte for byte.
  ///
  /// - Complexity: O(log n) comparisons.
  public subscript(name: String) -> TensorEntry? {
    find(name)?.entry
  }

  /// Bytes of data of all tensors, headers not counted.
  public var totalByteCount: Int { stored.reduce(0) { $0 + $1.entry.byteCount } }

  /// The metadata of the one file that holds a tensor.
  ///
  /// - Precondition: `self[name] != nil`.
  public func metadata(ofFileHolding name: String) -> [String: String] {
    member(holding: name).metadata
  }

  /// The name, without folders, of the file that holds a tensor.
  ///
  /// - Precondition: `self[name] != nil`.
  public func fileName(holding name: String) -> String {
    member(holding: name).name
  }

  func find(_ name: String) -> Stored? {
    stored.position(of: name, by: \.entry.name).map { stored[$0] }
  }

  private func member(holding name: String) -> Member {
    guard let found = find(name) else { preconditionFailure("no tensor \(printable(name))") }
    return members[found.location.fileIndex]
  }
}
