import TensorFiles
import Testing

@Suite("XXH64")
struct XXHash64Tests {
  @Test("The published vectors come out")
  func published() {
    #expect(XXHash64.hash([]) == 0xEF46_DB37_51D8_E999)
    #expect(XXHash64.hash(Array("abc".utf8)) == 0x44BC_2CF5_AD77_0999)
  }

  @Test(
    "Every way through the lanes and the tail agrees with the C library",
    arguments: [
      // python-xxhash on bytes((7 * i + 3) % 256 for i in range(n))
      (1, 0x1F25_C8D0_BC1F_4BB6), (4, 0x9BB6_4B7D_66EE_9FDA), (8, 0xDAB9_9D95_C6F9_0092),
      (14, 0xC7F1_D4D0_ACFA_5A14), (31, 0xA2AA_5F33_CC4A_6119), (32, 0x23C3_C17E_F790_FD97),
      (33, 0x50A7_CFC7_BA58_8784), (63, 0x5E3E_54B4_31C7_493C), (64, 0x0EB6_4B3E_F6EE_B01F),
      (100, 0xA61F_8D4C_170F_E531), (200, 0xA6CB_3C09_BC82_9B24),
    ] as [(Int, UInt64)])
  func lengths(count: Int, expected: UInt64) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: 7 * $0 + 3) }
    #expect(XXHash64.hash(bytes) == expected)
    // In pieces of every length, the first shorter.
    for length in 1...max(count, 1) {
      var hash = XXHash64()
      var first = 0
      while first < count {
        let last = min(first == 0 ? (count % length) + 1 : first + length, count)
        hash.update(unsafe bytes.span.extracting(first..<last).bytes)
        first = last
      }
      #expect(hash.digest == expected)
    }
  }

  @Test("A tensor's checksum is that of its bytes and follows every one of them")
  func tensors() throws {
    let folder = try TemporaryFolder()
    var bytes = (0..<40).map { UInt8($0) }
    var seen: Set<UInt64> = []
    for position in 0..<40 {
      bytes[position] ^= 0x80
      try TensorFileWriter.write(
        [("first", .unsigned8, [1], [3]), ("w", .float64, [5], bytes)], metadata: [:],
        to: folder.file("x.safetensors"))
      let sum = try TensorCollection(path: folder.path).checksum(of: "w")
      #expect(sum == XXHash64.hash(bytes))
      seen.insert(sum)
    }
    #expect(seen.count == 40)
  }
}
