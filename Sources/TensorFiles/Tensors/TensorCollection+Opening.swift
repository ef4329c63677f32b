// The steps of opening a collection. None of them touches a tensor's data.

extension TensorCollection {
  static func lastComponent(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  static func join(_ folder: String, _ name: String) -> String {
    folder.utf8.last == UInt8(ascii: "/") ? folder + name : folder + "/" + name
  }

  /// The safetensors files among a folder's entries.
  static func shards(_ entries: [String], in path: String) throws(TensorFileError) -> [String] {
    var shards: [String] = []
    for name in entries where name.hasSuffix(".safetensors") {
      if try !FolderListing.isFolder(join(path, name)) { shards.append(name) }
    }
    guard !shards.isEmpty else {
      throw TensorFileError(
        .missingInput, path: path, "the folder holds 0 *.safetensors files, at least 1 is needed",
        advice: "check the path; files in subfolders are not looked for")
    }
    return shards
  }

  /// The folder's index; `nil` if there is none. Two are refused: which one is true?
  static func index(_ entries: [String], in path: String) throws(TensorFileError) -> ShardIndex? {
    let indexes = entries.filter(ShardIndex.isIndex)
    guard indexes.count <= 1 else {
      throw TensorFileError(
        .badData, path: path,
        "the folder holds \(indexes.count) index files, \"\(printable(indexes[0]))\" and "
          + "\"\(printable(indexes[1]))\" among them, the limit is 1",
        advice: "keep the one that belongs to the *.safetensors files")
    }
    guard let name = indexes.first else { return nil }
    return try ShardIndex(path: join(path, name))
  }

  /// Reads one file's header; offsets are from the start of the file.
  static func header(
    of file: StoredFile
  ) throws(TensorFileError) -> ([String: String], [(TensorEntry, offset: Int)]) {
    let path = file.path
    let prefix = try file.copyBytes(at: 0, count: min(HeaderLimits.lengthPrefix, file.byteCount))
    let length = try HeaderValidation.headerLength(
      prefix: prefix, fileBytes: file.byteCount, path: path)
    let dataStart = HeaderLimits.lengthPrefix + length
    let bytes = try file.copyBytes(at: HeaderLimits.lengthPrefix, count: length)
    let parsed = try HeaderParser.parse(bytes, path: path)
    let layout = try HeaderValidation.layout(
      parsed.tensors, dataBytes: file.byteCount - dataStart, path: path)
    return (parsed.metadata, layout.map { ($0.entry, dataStart + $0.begin) })
  }

  /// The union of all metadata; two files must not disagree, except on `total_size`.
  static func merge(
    _ members: [Member], path: String
  ) throws(TensorFileError) -> [String: String] {
    var merged: [String: (value: String, file: String)] = [:]
    var totalSizesDiffer = false
    for member in members {
      for (key, value) in member.metadata.sorted(by: { precedesBytewise($0.key, $1.key) }) {
        guard let earlier = merged[key] else {
          merged[key] = (value, member.name)
          continue
        }
        if sameBytes(earlier.value, value) { continue }
        guard key == TensorCollection.totalSizeKey else {
          throw TensorFileError(
            .badData, path: path, key: key,
            "the metadata value is \"\(printable(earlier.value))\" in "
              + "\"\(printablePath(earlier.file))\" but \"\(printable(value))\" in "
              + "\"\(printablePath(member.name))\", the files of one folder must agree",
            advice: "keep files of one run in a folder of their own")
        }
        totalSizesDiffer = true
      }
    }
    if totalSizesDiffer { merged[TensorCollection.totalSizeKey] = nil }
    return merged.mapValues(\.value)
  }

  /// The metadata key by which some writers note the bytes of a file or of a whole checkpoint.
  static let totalSizeKey = "total_size"
}
