import Foundation
import TensorFiles
import Testing

@Suite("Folders of files")
struct ShardedFolderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(
    _ names: [String], metadata: [String: String] = [:], to file: String
  ) throws {
    try TensorFileWriter.write(
      names.map { ($0, .float32, [1], TensorFileWriter.bytes(of: [Float($0.utf8.count)])) },
      metadata: metadata, to: folder.file(file))
  }

  private func writeIndex(_ text: String, to name: String = "model.safetensors.index.json") throws {
    try folder.write(Array(text.utf8), to: name)
  }

  private func openingError() -> TensorFileError? {
    failure { () throws(TensorFileError) in _ = try TensorCollection(path: folder.path) }
  }

  private func expect(_ kind: TensorFileError.Kind, _ parts: String...) {
    let error = openingError()
    #expect(error?.kind == kind)
    let message = error?.description ?? "accepted"
    for part in parts { #expect(message.contains(part), "\(message)") }
  }

  @Test("The sampled fingerprint sees values at the ends and in the middle, and headers")
  func sampledFingerprint() throws {
    func fingerprint(_ values: [Float], named name: String = "a") throws -> UInt64 {
      try TensorFileWriter.write(
        [
          (name, .float32, [values.count], TensorFileWriter.bytes(of: values)),
          ("z", .float32, [0], []),
        ],
        metadata: [:], to: folder.file("1.safetensors"))
      return try TensorCollection(path: folder.path).sampledFingerprint()
    }
    for count in [0, 1, 15, 1000] {
      let values = (0..<count).map(Float.init)
      let own = try fingerprint(values)
      #expect(try fingerprint(values) == own)
      #expect(try fingerprint(values, named: "b") != own)
      for index in Set([0, count / 2, count - 1]) where values.indices.contains(index) {
        var other = values
        other[index] += 0.5
        #expect(try fingerprint(other) != own, "\(count) values, value \(index)")
      }
    }
  }

  @Test("Shards, links, hidden files, subfolders and an index make one collection")
  func sharded() throws {
    try write(["a", "ccc"], metadata: ["k": "v", "total_size": "8"], to: "2.safetensors")
    try write(["bb"], metadata: ["total_size": "4"], to: "1.safetensors")
    try FileManager.default.createDirectory(
      atPath: folder.file("old.safetensors"), withIntermediateDirectories: false)
    try folder.write([1, 2], to: "._1.safetensors")
    try folder.write([1, 2], to: "pytorch_model.bin.index.json")
    try FileManager.default.createDirectory(
      atPath: folder.file("blobs"), withIntermediateDirectories: false)
    try write(["dddd"], to: "blobs/0a1b")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("3.safetensors"), withDestinationPath: "blobs/0a1b")
    try writeIndex(
      #"{"metadata":{"total_size":16.0},"weight_map":{"a":"2.safetensors","bb":"1.safetensors","#
        + #""ccc":"2.safetensors","dddd":"3.safetensors"}}"#)

    for path in [folder.path, folder.path + "/"] {
      let model = try TensorCollection(path: path)
      #expect(model.names == ["a", "bb", "ccc", "dddd"])
      #expect(try model.names.map { try model.values($0, as: Float.self) } == [[1], [2], [3], [4]])
      #expect(model.fileName(holding: "bb") == "1.safetensors")
      #expect(model.fileName(holding: "dddd") == "3.safetensors")
      #expect(model.metadata == ["k": "v"], "the files differ in total_size")
      #expect(model.metadata(ofFileHolding: "bb") == ["total_size": "4"])
      #expect(model.totalByteCount == 16)
    }
  }

  @Test("The fingerprint is the same for one file and for shards, and follows names and metadata")
  func fingerprints() throws {
    func fingerprint(_ files: [([String], [String: String])]) throws -> UInt64 {
      let folder = try TemporaryFolder()
      for (number, file) in files.enumerated() {
        try TensorFileWriter.write(
          file.0.map { ($0, .float32, [1], [0, 0, 0, UInt8(number)]) }, metadata: file.1,
          to: folder.file("\(number).safetensors"))
      }
      return try TensorCollection(path: folder.path).headerFingerprint
    }
    let whole = try fingerprint([(["a", "b"], ["k": "v"])])
    #expect(try fingerprint([(["b"], [:]), (["a"], ["k": "v", "total_size": "4"])]) == whole)
    #expect(try fingerprint([(["b"], ["total_size": "3"]), (["a"], ["k": "v"])]) == whole)
    #expect(try fingerprint([(["a", "c"], ["k": "v"])]) != whole)
    #expect(try fingerprint([(["a", "b"], ["k": "w"])]) != whole)
    #expect(try fingerprint([(["a"], ["k": "v"])]) != whole)
    #expect(try fingerprint([(["ab", ""], ["k": "v"])]) != whole)
  }

  @Test("A path that is not there, an empty folder and a dangling link are missing input")
  func missing() throws {
    expect(.missingInput, "0 *.safetensors", "at least 1")
    for name in ["none.safetensors", "no\0ne", ""] {
      let path = name.isEmpty ? "" : folder.file(name)
      let error = failure { () throws(TensorFileError) in _ = try TensorCollection(path: path) }
      #expect(error?.kind == .missingInput)
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("x.safetensors"), withDestinationPath: "nowhere")
    expect(.missingInput, "x.safetensors", "No such file")
  }

  @Test("A device is not a file, and a pipe does not block")
  func notRegular() throws {
    let made = unsafe mkfifo(folder.file("pipe.safetensors"), 0o600)
    #expect(made == 0)
    for path in ["/dev/null", folder.file("pipe.safetensors"), folder.path] {
      let error = failure { () throws(TensorFileError) in _ = try TensorCollection(path: path) }
      #expect(error?.kind == .badData)
      #expect(error?.description.contains("not a regular file") == true)
    }
  }

  @Test("A tensor in two files is refused with both names")
  func twice() throws {
    try write(["w"], to: "new.safetensors")
    try write(["w"], to: "old.safetensors")
    expect(.badData, "\"w\"", "new.safetensors", "old.safetensors", "one file only")
  }

  @Test("Metadata that differ are refused with key, both values and both files")
  func metadataConflict() throws {
    try write(["a"], metadata: ["loss": "mean"], to: "1.safetensors")
    try write(["b"], metadata: ["loss": "sum"], to: "2.safetensors")
    expect(.badData, "\"loss\"", "\"mean\"", "\"sum\"", "1.safetensors", "2.safetensors")
  }

  @Test("One bad shard among good ones is named")
  func badShard() throws {
    try write(["a"], to: "1.safetensors")
    try folder.write(rawFile("{}", dataBytes: 3), to: "2.safetensors")
    expect(.badData, "2.safetensors", "3 bytes")
  }

  @Test(
    "An index that disagrees with its folder is refused",
    arguments: [
      (#"{"weight_map":{"a":"1.safetensors","z":"1.safetensors"}}"#, ["\"z\"", "does not hold"]),
      (#"{"weight_map":{}}"#, ["\"a\"", "does not name it", "1.safetensors"]),
      (#"{"weight_map":{"a":"1.safetensors","a":"1.safetensors"}}"#, ["\"a\"", "more than once"]),
      (#"{"weight_map":{"a":"1.safetensors"},"weight_map":{}}"#, ["weight_map", "more than once"]),
      (#"{"weight_map":{"a":"../1.safetensors"}}"#, ["\"a\"", "../1.safetensors", "own folder"]),
      (#"{"weight_map":{"a":"/etc/x.safetensors"}}"#, ["\"a\"", "/etc/x.safetensors"]),
      (#"{"weight_map":{"a":"s\\1.safetensors"}}"#, ["\"a\"", "own folder"]),
      (#"{"weight_map":{"a":".."}}"#, ["\"a\"", "\"..\""]),
      (#"{"weight_map":{"a":""}}"#, ["\"a\"", "own folder"]),
      (#"{"weight_map":{"a":"1.safetensors\u0000.safetensors"}}"#, ["\"a\"", "own folder"]),
      (#"{"weight_map":{"a":"1.bin"}}"#, ["\"a\"", "1.bin"]),
      (#"{"weight_map":{"a":1}}"#, ["\"a\"", "'1'"]),
      (#"{"weight_map":[]}"#, ["weight_map", "'['"]),
      (#"{"metadata":{}}"#, ["no key \"weight_map\""]),
      ("", ["expected '{'", "the end of the index"]),
      (#"{"weight_map":{"a":"1.safetensors"}} x"#, ["nothing but white space", "'x'"]),
    ])
  func badIndex(text: String, parts: [String]) throws {
    try write(["a"], to: "1.safetensors")
    try writeIndex(text)
    let error = openingError()
    #expect(error?.kind == .badData)
    let message = error?.description ?? "accepted"
    for part in ["model.safetensors.index.json"] + parts {
      #expect(message.contains(part), "\(message)")
    }
  }

  @Test("A shard that the index names and the folder lacks is missing input")
  func missingShard() throws {
    try write(["a"], to: "1.safetensors")
    try writeIndex(#"{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}"#)
    expect(.missingInput, "index.json", "\"b\"", "2.safetensors", "not in the folder")
  }

  @Test("A tensor in another file than the index says is refused")
  func swapped() throws {
    try write(["a"], to: "1.safetensors")
    try write(["b"], to: "2.safetensors")
    try writeIndex(#"{"weight_map":{"a":"2.safetensors","b":"1.safetensors"}}"#)
    expect(.badData, "\"a\"", "2.safetensors", "does not hold it")
  }

  @Test("Two indexes are refused")
  func twoIndexes() throws {
    try write(["a"], to: "1.safetensors")
    try writeIndex(#"{"weight_map":{"a":"1.safetensors"}}"#)
    try writeIndex(#"{"weight_map":{"a":"1.safetensors"}}"#, to: "statistics.index.json")
    expect(.badData, "2 index files", "statistics.index.json", "limit is 1")
  }

  @Test("A file that shrinks after it was opened is an error, a replaced one reads as it was")
  func shrinking() throws {
    try write(["a", "b"], to: "1.safetensors")
    let model = try TensorCollection(path: folder.path)
    try write(["c"], to: "1.safetensors")
    #expect(try model.values("a", as: Float.self) == [1], "renamed over: the old file lives on")

    let second = try TensorCollection(path: folder.path)
    let cut = unsafe truncate(folder.file("1.safetensors"), 10)
    #expect(cut == 0)
    for error in [
      failure { () throws(TensorFileError) in _ = try second.finiteValues("c", as: Float.self) },
      failure { () throws(TensorFileError) in _ = try second.checksum(of: "c") },
    ] {
      #expect(error?.kind == .readFailure)
      let message = error?.description ?? "accepted"
      #expect(message.contains("1.safetensors") && message.contains("has 10 now"), "\(message)")
    }
  }
}
