import Testing

@testable import TensorFiles

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same everywhere.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

@Suite("Random damage")
struct MutationTests {
  private static let header =
    #"{"__metadata__":{"format":"pt","é\u00e9\ud83e\udd9c":"x\n"},"#
    + #""a.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8],"x":[1.5e-3,{"y":null}]},"#
    + #""b":{"dtype":"F16","shape":[3],"data_offsets":[8,14]},"#
    + #""c":{"dtype":"F4","shape":[4],"data_offsets":[14,16]},"#
    + #""z":{"dtype":"I64","shape":[0],"data_offsets":[16,16]}}  "#

  /// Bytes that matter to a JSON parser, preferred to random ones.
  private static let tokens =
    Array("{}[]\":,\\u0123456789-+.eEntfdD \t\0\u{7F}".utf8) + [0x80, 0xFF]

  private static let dataBytes = 16

  /// One to three bytes of length or header changed, inserted or removed.
  private func damaged(by generator: inout SplitMix64) -> [UInt8] {
    var bytes = rawFile(Self.header, dataBytes: Self.dataBytes)
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      let position = Int.random(in: 0..<Self.header.utf8.count + 8, using: &generator)
      let byte =
        Bool.random(using: &generator)
        ? Self.tokens.randomElement(using: &generator)!
        : UInt8.random(in: 0...255, using: &generator)
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: bytes[position] = byte
      case 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 2:
        // Keep the length true, so that the damage reaches the parser.
        bytes.insert(byte, at: max(8, position))
        bytes[0] &+= 1
      default:
        bytes.remove(at: max(8, position))
        bytes[0] &-= 1
      }
    }
    return bytes
  }

  /// Everything that is done to a header on opening; returns the checked layout.
  private func open(
    _ bytes: [UInt8]
  ) throws(TensorFileError) -> (layout: [(entry: TensorEntry, begin: Int)], dataBytes: Int) {
    let length = try HeaderValidation.headerLength(
      prefix: Array(bytes.prefix(8)), fileBytes: bytes.count, path: "damaged")
    let header = try HeaderParser.parse(Array(bytes[8..<8 + length]), path: "damaged")
    let dataBytes = bytes.count - 8 - length
    let layout = try HeaderValidation.layout(header.tensors, dataBytes: dataBytes, path: "damaged")
    return (layout, dataBytes)
  }

  @Test(
    "20 000 damaged headers are refused, or describe their file without hole or overlap",
    arguments: [1, 2, 3, 4] as [UInt64])
  func damage(seed: UInt64) {
    var generator = SplitMix64(state: seed)
    var refused = 0
    for _ in 0..<5_000 {
      let bytes = damaged(by: &generator)
      do throws(TensorFileError) {
        let (layout, dataBytes) = try open(bytes)
        var position = 0
        var isTiled = true
        for (entry, begin) in layout {
          isTiled = isTiled && begin == position
          position += entry.byteCount
        }
        if !isTiled || position != dataBytes { Issue.record("seed \(seed): accepted \(bytes)") }
      } catch {
        refused += 1
        if error.kind != .badData || error.description.utf8.count > 1000 {
          Issue.record("seed \(seed): \(error) for \(bytes)")
        }
      }
    }
    #expect(refused > 2_500 && refused < 5_000, "seed \(seed): \(refused) refused")
  }

  @Test("300 damaged files are opened and read from disk, or refused, and never trap")
  func damageOnDisk() throws {
    let folder = try TemporaryFolder()
    var generator = SplitMix64(state: 5)
    var opened = 0
    for _ in 0..<300 {
      let path = try folder.write(damaged(by: &generator))
      guard let file = try? TensorCollection(path: path) else { continue }
      opened += 1
      for name in file.names {
        _ = try file.checksum(of: name)
        if file[name]!.elementType.isFloatingPoint {
          _ = try? file.finiteValues(name, as: Float.self)
        }
      }
    }
    #expect(opened > 0)
  }
}
