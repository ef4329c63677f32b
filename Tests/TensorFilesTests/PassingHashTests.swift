import TensorFiles
import TestSupport
import Testing

@Suite("Decoded and hashed in one reading")
struct PassingHashTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let types: [ElementType] = [.float16, .bfloat16, .float32, .float64]

  /// A file with one tensor "a" of random finite values; returns them by the plain road, word by word.
  private func write(
    _ count: Int, of type: ElementType, _ generator: inout SeededGenerator
  ) throws -> [Double] {
    let words = (0..<count).map { _ in
      UInt64.encoding(generator.uniform(in: -2...2), as: type)
    }
    let bytes = words.flatMap { word in
      (0..<type.bitWidth / 8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }
    // One byte in front: nothing may depend on alignment.
    try TensorFileWriter.write(
      [("0", .unsigned8, [1], [7]), ("a", type, [count], bytes)], metadata: [:],
      to: folder.file("t.safetensors"))
    return words.map { $0.decoded(as: type) }
  }

  @Test("Any cuts give the values of the plain road and the checksum of the whole")
  func anyCuts() throws {
    try forEachCase(seed: 811, cases: 24) { generator, number in
      let type = Self.types[number % 4]
      // Beyond one piece of 256 KiB in some cases, by an odd number.
      let count = generator.integer(in: 0...2) == 0 ? 300_007 : generator.integer(in: 0...900)
      let expected = try write(count, of: type, &generator)
      let file = try TensorCollection(path: folder.file("t.safetensors"))
      let checksum = try file.checksum(of: "a")

      var hash = PassingHash()
      var found: [Double] = []
      while found.count < count {
        #expect(hash.digest(ofElements: count) == nil)
        let next = min(found.count + generator.integer(in: 1...max(count / 3, 1)), count)
        var part = [Double](repeating: 0, count: next - found.count)
        var span = part.mutableSpan
        try file.readFinite("a", elements: found.count..<next, into: &span, hashing: &hash)
        if generator.integer(in: 0...1) == 0, !found.isEmpty {
          // What has passed by before adds nothing.
          var again = [Double](repeating: 0, count: found.count)
          var place = again.mutableSpan
          try file.readFinite("a", elements: 0..<found.count, into: &place, hashing: &hash)
          #expect(again == found)
        }
        found += part
      }
      #expect(found == expected)
      #expect(hash.digest(ofElements: count) == checksum)
      var whole = [Double](repeating: 0, count: count)
      var span = whole.mutableSpan
      try file.readFinite("a", into: &span)
      #expect(whole == expected)
    }
  }

  @Test("A tensor whose beginning was skipped has no hash")
  func skipped() throws {
    var generator = SeededGenerator(seed: 812)
    _ = try write(10, of: .float32, &generator)
    let file = try TensorCollection(path: folder.file("t.safetensors"))
    var hash = PassingHash()
    var values = [Float](repeating: 0, count: 6)
    var span = values.mutableSpan
    try file.readFinite("a", elements: 4..<10, into: &span, hashing: &hash)
    #expect(hash.digest(ofElements: 10) == nil)
    #expect(hash.digest(ofElements: 0) == XXHash64.hash([]))
  }

  @Test("The first value that is not finite is named, in whichever piece it lies")
  func nonFinite() throws {
    let count = 200_000
    for (position, text) in [(0, "inf"), (131_071, "nan"), (131_072, "-inf"), (count - 1, "nan")] {
      var values = [Float](repeating: 1, count: count)
      values[position] = text == "inf" ? .infinity : text == "nan" ? .nan : -.infinity
      values[count - 1] = .nan
      try TensorFileWriter.write(
        [("a", .float32, [count], TensorFileWriter.bytes(of: values))], metadata: [:],
        to: folder.file("n.safetensors"))
      let file = try TensorCollection(path: folder.file("n.safetensors"))
      let error = try #require(throws: TensorFileError.self) {
        var found = [Double](repeating: 0, count: count)
        var span = found.mutableSpan
        try file.readFinite("a", into: &span)
      }
      #expect("\(error)".contains("element \(position) at [\(position)] is \(text),"), "\(error)")
    }
  }

  @Test("Reading ahead changes nothing and ends with its owner")
  func ahead() throws {
    var generator = SeededGenerator(seed: 813)
    let expected = try write(50_000, of: .float32, &generator)
    let file = try TensorCollection(path: folder.file("t.safetensors"))
    for _ in 0..<50 {
      var ahead = ReadAhead()
      ahead.begin { file.willRead("a", elements: 0..<50_000) }
      ahead.begin { file.willRead("a", elements: 7..<9) }
      var found = [Double](repeating: 0, count: 50_000)
      var span = found.mutableSpan
      try file.readFinite("a", into: &span)
      #expect(found == expected)
    }
  }
}
