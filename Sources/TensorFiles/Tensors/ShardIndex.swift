/// The `*.index.json` beside sharded files: which tensor is in which file.
///
/// The reference trusts it; here both directions are checked, because a stale index or a shard left
/// over from an earlier save is how half of one model gets mixed with half of another.
struct ShardIndex {
  let path: String
  /// Tensor name to file name, sorted bytewise by tensor name. File names are plain: no separators.
  let entries: [(tensor: String, file: String)]

  /// Whether a folder's entry is an index of safetensors files. Those of other formats, which
  /// Hugging Face folders hold side by side, are not.
  static func isIndex(_ name: String) -> Bool {
    name.hasSuffix(".index.json")
      && ![".bin.index.json", ".msgpack.index.json", ".h5.index.json"].contains {
        name.hasSuffix($0)
      }
  }

  /// Reads the index, checking grammar, duplicate keys and file names.
  init(path: String) throws(TensorFileError) {
    let file = try StoredFile(path: path)
    guard file.byteCount <= HeaderLimits.headerBytes else {
      throw TensorFileError(
        .badData, path: path,
        "the index has \(file.byteCount) bytes, the limit is \(HeaderLimits.headerBytes)",
        advice: "remove the index, it is optional")
    }
    let bytes = try file.copyBytes(at: 0, count: file.byteCount)
    var scanner = JSONScanner(bytes, path: path, part: "index")
    var sections: [String] = []
    var entries: [(tensor: String, file: String)]?
    try scanner.object("the index") { (scanner: inout JSONScanner, name) throws(TensorFileError) in
      sections.append(name)
      if name == "weight_map" {
        entries = try Self.weightMap(&scanner)
      } else {
        try scanner.skipValue()
      }
    }
    try scanner.expectEnd()
    if let section = firstDuplicate(in: sections) {
      scanner.key = section
      throw scanner.failure(
        "the key occurs more than once in the index, the limit is 1", advice: Self.advice)
    }
    guard let entries else {
      throw scanner.failure("the index has no key \"weight_map\"", advice: Self.advice)
    }
    self.path = path
    self.entries = entries.sorted { precedesBytewise($0.tensor, $1.tensor) }
    if let tensor = firstDuplicate(in: entries.map(\.tensor)) {
      scanner.key = tensor
      throw scanner.failure(
        "the tensor occurs more than once in weight_map, the limit is 1", advice: Self.advice)
    }
  }

  private static let advice = "write the index anew, or remove it: it is optional"

  private static func weightMap(
    _ scanner: inout JSONScanner
  ) throws(TensorFileError) -> [(tensor: String, file: String)] {
    var entries: [(tensor: String, file: String)] = []
    try scanner.object("weight_map") { (scanner: inout JSONScanner, name) throws(TensorFileError) in
      scanner.key = name
      let file = try scanner.string("a file name")
      let plain = !file.utf8.contains { $0 == 0x2F || $0 == 0x5C || $0 == 0 }
      guard plain, file != "..", file.utf8.first != 0x2E, file.hasSuffix(".safetensors") else {
        throw scanner.failure(
          "weight_map names the file \"\(printable(file))\", but may only name *.safetensors files "
            + "in the index's own folder", advice: Self.advice)
      }
      entries.append((name, file))
      scanner.key = nil
    }
    return entries
  }

  /// Compares the index with what the files of its folder hold.
  ///
  /// - Parameters:
  ///   - files: names of the folder's safetensors files, sorted bytewise.
  ///   - tensors: every tensor with the name of its file, sorted bytewise by tensor name.
  /// - Complexity: O(n log n) for n tensors.
  func check(
    files: [String], tensors: [(tensor: String, file: String)]
  ) throws(TensorFileError) {
    for (tensor, file) in entries {
      guard files.position(of: file, by: \.self) != nil else {
        throw TensorFileError(
          .missingInput, path: path, key: tensor,
          "weight_map says it is in \"\(printable(file))\", which is not in the folder",
          advice: "copy the missing file")
      }
      guard let found = tensors.position(of: tensor, by: \.tensor),
        sameBytes(tensors[found].file, file)
      else {
        throw TensorFileError(
          .badData, path: path, key: tensor,
          "weight_map says it is in \"\(printable(file))\", which does not hold it",
          advice: "the index is stale; \(Self.advice)")
      }
    }
    for (tensor, file) in tensors where entries.position(of: tensor, by: \.tensor) == nil {
      throw TensorFileError(
        .badData, path: path, key: tensor,
        "weight_map does not name it, but \"\(printable(file))\" holds it",
        advice: "move that file elsewhere if it is left over, or else remove the index")
    }
  }
}
