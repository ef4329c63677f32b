import TensorFiles
import TestSupport
import Testing

@Suite("Words as stored")
struct StoredWordsTests {
  @Test("Every finite 16-bit word survives decoding and encoding; both zeros become +0")
  func roundTrip() {
    for type in [ElementType.float16, .bfloat16] {
      for word in UInt16.min...UInt16.max where word.magnitudeBits < UInt16.infinity(of: type) {
        let expected = word.magnitudeBits == 0 ? 0 : word
        #expect(UInt16.encoding(word.decoded(as: type), as: type) == expected)
      }
    }
  }

  @Test("Encoding rounds to nearest, ties to even")
  func rounding() {
    // BF16 has 8 significant bits: 1 + 2⁻⁸ lies between 1 and 1 + 2⁻⁷.
    #expect(UInt16.encoding(1 + 0x1p-8, as: .bfloat16).decoded(as: .bfloat16) == 1)
    #expect(UInt16.encoding(1 + 0x1.8p-7, as: .bfloat16).decoded(as: .bfloat16) == 1 + 0x1p-6)
    #expect(UInt16.encoding(1 + 0x1.2p-8, as: .bfloat16).decoded(as: .bfloat16) == 1 + 0x1p-7)
    #expect(UInt16.encoding(65520, as: .float16) == UInt16.infinity(of: .float16))
    #expect(UInt32.encoding(0.1, as: .float32) == Float(0.1).bitPattern)
    #expect(UInt64.encoding(-0.1, as: .float64) == (-0.1).bitPattern)
  }

  @Test("Zeros are counted and small words cleared as one by one, in lanes and beyond them")
  func loops() {
    forEachCase(seed: 61, cases: 20) { generator, _ in
      loops(UInt16.self, &generator)
      loops(UInt32.self, &generator)
      loops(UInt64.self, &generator)
    }
  }

  private func loops<Word: StoredWord>(_ type: Word.Type, _ generator: inout SeededGenerator) {
    let count = generator.integer(in: 0...9000)
    let words = (0..<count).map { _ in
      Word(truncatingIfNeeded: generator.next()) & (generator.integer(in: 0...1) == 0 ? 0 : .max)
        | (generator.integer(in: 0...3) == 0 ? 1 << (Word.bitWidth - 1) : 0)
    }
    #expect(Word.zeroCount(in: words.span) == words.count { $0.magnitudeBits == 0 })
    #expect(Word.largestMagnitude(of: words.span) == words.map(\.magnitudeBits).max() ?? 0)
    let one = words.randomElement(using: &generator)?.magnitudeBits ?? 0
    #expect(Word.count(of: one, in: words.span) == words.count { $0.magnitudeBits == one })
    for shift in stride(from: Word.bitWidth - 16, through: 0, by: -16) {
      let prefix = shift == Word.bitWidth - 16 ? 0 : one >> Word(shift + 16)
      var histogram = [Int](repeating: 1, count: 1 << 16)
      Word.countDigits(of: words.span, at: shift, under: prefix, into: &histogram)
      var expected = [Int](repeating: 1, count: 1 << 16)
      for word in words
      where shift == Word.bitWidth - 16 || word.magnitudeBits >> Word(shift + 16) == prefix {
        expected[Int(word.magnitudeBits >> Word(shift) & 0xFFFF)] += 1
      }
      if shift == Word.bitWidth - 16 {
        for bin in 0..<1 << 15 {
          histogram[bin] += histogram[bin + 1 << 15] - 1
          histogram[bin + 1 << 15] = 1
        }
      }
      #expect(histogram == expected)
    }
    let limit = Word(truncatingIfNeeded: generator.next()).magnitudeBits
    var cleared = words
    var span = cleared.mutableSpan
    Word.clear(&span, below: limit)
    #expect(cleared == words.map { $0.magnitudeBits < limit ? 0 : $0 })
  }
}

@Suite("Checkpoints and files written at positions")
struct CheckpointFileTests {
  private func write(_ names: [String], to path: String) throws {
    try TensorFileWriter.write(
      names.map { ($0, .bfloat16, [2], [1, 0, 0, 0x80]) }, metadata: [:], to: path)
  }

  @Test("A checkpoint is what its loader would read: one file, else the index, else all")
  func loadersRule() throws {
    let folder = try TemporaryFolder()
    try write(["a"], to: folder.file("model-1.safetensors"))
    try write(["b"], to: folder.file("model-2.safetensors"))
    #expect(try TensorCollection(checkpoint: folder.path).names == ["a", "b"])
    try folder.write(
      Array(#"{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}"#.utf8),
      to: "model.safetensors.index.json")
    try write(["layers.a", "layers.b"], to: folder.file("consolidated.safetensors"))
    let indexed = try TensorCollection(checkpoint: folder.path)
    #expect(indexed.names == ["a", "b"])
    #expect(indexed.files.map(\.name) == ["model-1.safetensors", "model-2.safetensors"])
    try write(["whole"], to: folder.file("model.safetensors"))
    #expect(try TensorCollection(checkpoint: folder.path).names == ["whole"])
    let file = failure { () throws(TensorFileError) in
      _ = try TensorCollection(checkpoint: folder.file("model.safetensors"))
    }
    #expect(file?.kind == .badData && file?.description.contains("is a file") == true)
  }

  @Test("Parts written at their positions make the file, and words are read and counted from it")
  func positions() throws {
    let folder = try TemporaryFolder()
    try write(["a", "b"], to: folder.file("model.safetensors"))
    let source = try TensorCollection(checkpoint: folder.path)
    let file = source.files[0]
    let copy = try TemporaryFolder()
    let path = copy.file("model.safetensors")
    try PositionedFile.create(path: path, byteCount: file.byteCount)
    let target = try PositionedFile(path: path)
    for first in stride(from: 0, to: file.byteCount, by: 7).reversed() {
      let range = first..<min(first + 7, file.byteCount)
      try source.forEachPiece(ofFile: 0, range) {
        (offset: Int, bytes: RawSpan) throws(TensorFileError) in
        try target.write(bytes, at: offset)
      }
    }
    let words: [UInt16] = [3, 0x8000]
    try target.write(words.span, at: source.place(of: "b").byteOffset)
    try target.sync()
    let written = try TensorCollection(checkpoint: copy.path)
    #expect(try written.words("a", elements: 0..<2, as: UInt16.self) == [1, 0x8000])
    #expect(try written.words("b", elements: 0..<1, as: UInt16.self) == [3])
    var read: [UInt16] = [0, 0]
    var span = read.mutableSpan
    try written.readWords("b", elements: 0..<2, into: &span)
    #expect(read == words)
    #expect(try written.checksum(of: "b") == XXHash64.hash(words))
  }
}
