internal import CVectorLoops

/// XXH64 by Yann Collet: a fast 64-bit checksum against damage, not against an adversary.
///
/// `XXHash64.hash(bytes)` for bytes at hand; ``update(_:)`` and ``digest`` for bytes that come in pieces.
///
/// Follows the xxHash specification (Cyan4973/xxHash, `doc/xxhash_spec.md`, XXH64). The same bytes
/// give the same value on every machine.
public struct XXHash64: Sendable {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  private let seed: UInt64
  private var lanes: cvec_lanes
  private var byteCount = 0
  /// Bytes that do not fill a stripe of 32 yet.
  private var rest: [UInt8] = []

  public init(seed: UInt64 = 0) {
    self.seed = seed
    lanes = cvec_lanes(
      a: seed &+ Self.prime1 &+ Self.prime2, b: seed &+ Self.prime2, c: seed, d: seed &- Self.prime1
    )
  }

  /// The hash of an array of bytes.
  public static func hash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    unsafe hash(bytes.span.bytes, seed: seed)
  }

  /// The hash of the bytes of words as they are stored in a file.
  public static func hash<Word: StoredWord>(_ words: [Word]) -> UInt64 {
    unsafe hash(words.span.bytes)
  }

  /// The hash of `bytes`, at any alignment.
  ///
  /// - Complexity: O(n), four independent lanes of 8 bytes per step.
  public static func hash(_ bytes: RawSpan, seed: UInt64 = 0) -> UInt64 {
    var hash = XXHash64(seed: seed)
    hash.update(bytes)
    return hash.digest
  }

  /// Takes the next bytes.
  public mutating func update(_ bytes: RawSpan) {
    var next = bytes
    byteCount += bytes.byteCount
    if !rest.isEmpty {
      let missing = min(32 - rest.count, next.byteCount)
      for offset in 0..<missing {
        rest.append(unsafe next.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
      }
      next = next.extracting(missing..<next.byteCount)
      guard rest.count == 32 else { return }
      let stripe = rest
      rest = []
      unsafe take(stripe.span.bytes)
    }
    let whole = next.byteCount & ~31
    take(next.extracting(0..<whole))
    for offset in whole..<next.byteCount {
      rest.append(unsafe next.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
    }
  }

  /// Whole stripes of 32 bytes.
  private mutating func take(_ stripes: RawSpan) {
    unsafe stripes.withUnsafeBytes { bytes in
      guard let first = bytes.baseAddress else { return }
      unsafe cvec_hash(first, bytes.count / 32, &lanes)
    }
  }

  /// How many bytes fill the stripe that has been begun; 0 between stripes.
  var bytesToStripe: Int { rest.isEmpty ? 0 : 32 - rest.count }

  /// Lets `loop` take whole stripes into the lanes.
  ///
  /// - Precondition: the bytes are whole stripes, one or more, and none has been begun.
  @unsafe mutating func takeStripes<Result>(
    _ bytes: RawSpan,
    _ loop: (
      _ first: UnsafeRawPointer, _ stripes: Int, _ lanes: UnsafeMutablePointer<cvec_lanes>
    ) -> Result
  ) -> Result {
    precondition(rest.isEmpty && !bytes.isEmpty && bytes.byteCount % 32 == 0)
    byteCount += bytes.byteCount
    return unsafe bytes.withUnsafeBytes { bytes in
      unsafe loop(bytes.baseAddress.unsafelyUnwrapped, bytes.count / 32, &lanes)
    }
  }

  /// The hash of all bytes so far.
  public var digest: UInt64 {
    var hash = seed &+ Self.prime5
    if byteCount >= 32 {
      hash =
        Self.rotate(lanes.a, 1) &+ Self.rotate(lanes.b, 7) &+ Self.rotate(lanes.c, 12)
        &+ Self.rotate(lanes.d, 18)
      for lane in [lanes.a, lanes.b, lanes.c, lanes.d] {
        hash = (hash ^ Self.round(0, lane)) &* Self.prime1 &+ Self.prime4
      }
    }
    hash &+= UInt64(byteCount)
    return unsafe Self.finish(hash, rest.span.bytes)
  }

  /// Mixes in what is left, at most 31 bytes.
  private static func finish(_ start: UInt64, _ bytes: RawSpan) -> UInt64 {
    var hash = start
    let count = bytes.byteCount
    var offset = 0
    while offset <= count - 8 {
      hash = rotate(hash ^ round(0, word(bytes, offset)), 27) &* prime1 &+ prime4
      offset += 8
    }
    if offset <= count - 4 {
      let half = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
      hash = rotate(hash ^ UInt64(UInt32(littleEndian: half)) &* prime1, 23) &* prime2 &+ prime3
      offset += 4
    }
    while offset < count {
      let byte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
      hash = rotate(hash ^ UInt64(byte) &* prime5, 11) &* prime1
      offset += 1
    }

    hash = (hash ^ hash >> 33) &* prime2
    hash = (hash ^ hash >> 29) &* prime3
    return hash ^ hash >> 32
  }

  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* prime2, 31) &* prime1
  }

  private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
    value &<< count | value &>> (64 - count)
  }

  /// The 8 bytes at `offset`, little endian, checked against the span's bounds.
  private static func word(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
