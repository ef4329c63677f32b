import Foundation
import TensorFiles
import Testing

@Suite("Writing and reading")
struct RoundTripTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("Names, types, shapes, metadata and values come back as they were written")
  func everythingComesBack() throws {
    let path = folder.file("model.safetensors")
    let floats: [Float] = [
      0, -0.0, 1.5, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -.infinity,
    ]
    let doubles: [Double] = [.pi, -1e300, .leastNonzeroMagnitude, 0]
    try TensorFileWriter.write(
      [
        ("b.gradient", .float32, [2, 3], TensorFileWriter.bytes(of: floats)),
        ("a", .float64, [4], TensorFileWriter.bytes(of: doubles)),
        ("counts", .signed64, [2], TensorFileWriter.bytes(of: [Int64.min, 7])),
        ("scalar", .float32, [], TensorFileWriter.bytes(of: [Float(2)])),
        ("empty", .float32, [3, 0], []),
        ("odd", .boolean, [3], [0, 1, 1]),
        ("é \"quoted\" \\ \n \u{1} 🦜", .unsigned8, [1], [9]),
      ], metadata: ["format": "layerbudget.statistics/1", "π": "\u{0}\t\"é\""], to: path)

    let file = try TensorCollection(path: path)
    #expect(
      file.names == [
        "a", "b.gradient", "counts", "empty", "odd", "scalar", "é \"quoted\" \\ \n \u{1} 🦜",
      ])
    #expect(file.metadata == ["format": "layerbudget.statistics/1", "π": "\u{0}\t\"é\""])
    #expect(file["b.gradient"]?.shape == [2, 3])
    #expect(file["b.gradient"]?.elementType == .float32)
    #expect(file["b.gradient"]?.byteCount == 24)
    #expect(file["scalar"]?.elementCount == 1)
    #expect(file["empty"]?.elementCount == 0)
    #expect(file["absent"] == nil)
    #expect(file.totalByteCount == 24 + 32 + 16 + 4 + 0 + 3 + 1)
    #expect(file.fileName(holding: "a") == "model.safetensors")
    #expect(file.metadata(ofFileHolding: "a") == file.metadata)

    let read = try file.values("b.gradient", as: Float.self)
    #expect(read.map(\.bitPattern) == floats.map(\.bitPattern))
    #expect(try file.values("b.gradient", as: Double.self) == floats.map(Double.init))
    #expect(try file.values("a", as: Double.self) == doubles)
    #expect(try file.values("a", as: Float.self) == doubles.map { Float($0) })
    #expect(try file.values("empty", as: Float.self) == [])
    #expect(try file.finiteValues("empty", as: Double.self) == [])
    #expect(try file.values("scalar", as: Float.self) == [2])
    #expect(try file.readIntegers("counts") == [Int64.min, 7])
  }

  @Test("The same arguments in any order make the same bytes, with data on a multiple of 8")
  func writingIsDeterministic() throws {
    let one = (name: "x", elementType: ElementType.unsigned8, shape: [3], bytes: [UInt8](1...3))
    let two = (
      name: "y", elementType: ElementType.float32, shape: [1],
      bytes: TensorFileWriter.bytes(of: [Float(1)])
    )
    try TensorFileWriter.write([one, two], metadata: ["b": "1", "a": "2"], to: folder.file("1"))
    try TensorFileWriter.write([two, one], metadata: ["a": "2", "b": "1"], to: folder.file("2"))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("1")))
    #expect(try bytes == Data(contentsOf: URL(fileURLWithPath: folder.file("2"))))
    #expect(bytes[0] % 8 == 0)
    #expect(try folder.names() == ["1", "2"], "no temporary file is left")
  }

  @Test("A file without tensors is a collection of none")
  func nothingAtAll() throws {
    try TensorFileWriter.write([], metadata: [:], to: folder.file("none.safetensors"))
    let file = try TensorCollection(path: folder.path)
    #expect(file.names.isEmpty && file.metadata.isEmpty && file.totalByteCount == 0)
  }

  @Test("Names that Unicode calls equivalent are two tensors, ordered by their bytes")
  func namesAreBytes() throws {
    let composed = "\u{E9}"
    let decomposed = "e\u{301}"
    try TensorFileWriter.write(
      [(composed, .unsigned8, [1], [1]), (decomposed, .unsigned8, [2], [1, 2])], metadata: [:],
      to: folder.file("x.safetensors"))
    let file = try TensorCollection(path: folder.path)
    #expect(file.names.map { Array($0.utf8) } == [[0x65, 0xCC, 0x81], [0xC3, 0xA9]])
    #expect(file[composed]?.shape == [1])
    #expect(file[decomposed]?.shape == [2])
    #expect(file[composed] != file[decomposed])
  }

  @Test("The writer refuses what no reader would accept, and leaves no file")
  func writerChecks() throws {
    typealias Tensor = (name: String, elementType: ElementType, shape: [Int], bytes: [UInt8])
    let cases: [([Tensor], String)] = [
      ([("w", .float32, [2], [0, 0, 0, 0])], "takes 8"),
      ([("w", .unsigned8, [1], [0]), ("w", .unsigned8, [1], [0])], "more than once"),
      ([("__metadata__", .unsigned8, [1], [0])], "reserved"),
      ([("w", .unsigned8, [-1], [0])], "[-1]"),
      ([("w", .float4, [1], [0])], "4 bits"),
      ([("w", .unsigned8, [Int.max, 2], [0])], "more than \(Int.max)"),
    ]
    for (tensors, part) in cases {
      let path = folder.file("bad.safetensors")
      let error = failure { () throws(TensorFileError) in
        try TensorFileWriter.write(tensors, metadata: [:], to: path)
      }
      #expect(error?.kind == .badData)
      #expect(error?.description.contains(part) == true, "\(String(describing: error))")
    }
    #expect(try folder.names() == [])
  }

  @Test("A folder that is not there cannot be written to, and the error says so")
  func unwritable() {
    let error = failure { () throws(TensorFileError) in
      try TensorFileWriter.write([], metadata: [:], to: folder.file("no/such/x.safetensors"))
    }
    #expect(error?.kind == .writeFailure)
    #expect(error?.description.contains("No such file or directory") == true)
  }

  @Test("Renaming onto a folder fails and removes the temporary file")
  func renameFails() throws {
    try FileManager.default.createDirectory(
      atPath: folder.file("taken/inside"), withIntermediateDirectories: true)
    let error = failure { () throws(TensorFileError) in
      try TensorFileWriter.write([], metadata: [:], to: folder.file("taken"))
    }
    #expect(error?.kind == .writeFailure)
    #expect(error?.problem.contains("rename") == true)
    #expect(try folder.names() == ["taken"])
  }

  @Test("Parts and diagonals of a tensor are those of the whole, and faults name their place in it")
  func parts() throws {
    let path = folder.file("parts.safetensors")
    let values = (0..<25).map { Float($0) }
    try TensorFileWriter.write(
      [
        ("square", .float32, [5, 5], TensorFileWriter.bytes(of: values)),
        ("bad", .float32, [2, 2], TensorFileWriter.bytes(of: [Float(1), 2, 3, .nan])),
      ], metadata: [:], to: path)
    let file = try TensorCollection(path: path)
    for range in [0..<25, 5..<10, 24..<25, 7..<7] {
      var part = [Double](repeating: -1, count: range.count)
      var span = part.mutableSpan
      try file.readFinite("square", elements: range, into: &span)
      #expect(part == range.map(Double.init))
    }
    #expect(try file.readFiniteDiagonal("square") == [0, 6, 12, 18, 24])
    for read in [
      { _ = try file.readFiniteDiagonal("bad") },
      {
        var part = [Float](repeating: 0, count: 2)
        var span = part.mutableSpan
        try file.readFinite("bad", elements: 2..<4, into: &span)
      },
    ] as [() throws -> Void] {
      do {
        try read()
        Issue.record("a nan was accepted")
      } catch let error as TensorFileError {
        #expect(error.kind == .nonFinite)
        #expect("\(error)".contains("[1, 1]"), "\(error)")
      }
    }
  }
}
