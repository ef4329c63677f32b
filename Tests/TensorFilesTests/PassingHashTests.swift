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

  @Test("A Float and a Double have the values of the plain road, at any length")
  func bothPrecisions() throws {
    try forEachCase(seed: 814, cases: 80) { generator, number in
      let count = generator.integer(in: 0...70)
      let expected = try write(count, of: Self.types[number % 4], &generator)
      let file = try TensorCollection(path: folder.file("t.safetensors"))
      var hashes = (PassingHash(), PassingHash())
      var single = [Float](repeating: 0, count: count)
      var double = [Double](repeating: 0, count: count)
      var narrow = single.mutableSpan
      try file.readFinite("a", elements: 0..<count, into: &narrow, hashing: &hashes.0)
      var wide = double.mutableSpan
      try file.readFinite("a", elements: 0..<count, into: &wide, hashing: &hashes.1)
      #expect(double == expected && single == expected.map { Float($0) })
      let checksum = try file.checksum(of: "a")
      #expect(hashes.0.digest(ofElements: count) == checksum)
      #expect(hashes.1.digest(ofElements: count) == checksum)
    }
  }

  @Test(
    "The first value that is not finite is named, in whichever piece it lies",
    arguments: types, [false, true])
  func nonFinite(type: ElementType, isHashed: Bool) throws {
    let count = 200_000
    // In the first bytes, which fill a stripe of the hash, at the ends of stripes and pieces, in the last ones.
    for (position, value) in [
      (0, Double.infinity), (1, .nan), (17, -.infinity), (65_535, .nan), (131_072, .infinity),
      (count - 1, .nan),
    ] {
      var words = [UInt64](repeating: .encoding(1, as: type), count: count)
      words[count - 1] = .encoding(.nan, as: type)
      words[position] = .encoding(value, as: type)
      let bytes = words.flatMap { word in
        (0..<type.bitWidth / 8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
      }
      try TensorFileWriter.write(
        [("0", .unsigned8, [1], [7]), ("a", type, [count], bytes)], metadata: [:],
        to: folder.file("n.safetensors"))
      let file = try TensorCollection(path: folder.file("n.safetensors"))
      func error<Element: DecodedElement>(_ type: Element.Type) throws -> String {
        let error = try #require(throws: TensorFileError.self) {
          var found = [Element](repeating: 0, count: count)
          var span = found.mutableSpan
          var hash = PassingHash()
          if isHashed {
            try file.readFinite("a", elements: 0..<count, into: &span, hashing: &hash)
          } else {
            try file.readFinite("a", into: &span)
          }
        }
        return "\(error)"
      }
      let text = value.isNaN ? "nan" : "\(value)"
      let expected = "element \(position) at [\(position)] is \(text),"
      let (single, double) = (try error(Float.self), try error(Double.self))
      #expect(single.contains(expected), "\(single)")
      #expect(double.contains(expected), "\(double)")
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
