internal import CVectorLoops

/// A type tensors can be decoded to: `Float` and `Double`. Not for further conformances.
public protocol DecodedElement: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// Decodes little-endian elements to `destination` from place `first` on, each rounded to nearest
  /// where `Self` is narrower.
  ///
  /// - Precondition: `elementType.isFloatingPoint`, and `bytes` holds whole elements of it, at any
  ///   alignment, no more than there are places.
  static func decode(
    _ bytes: RawSpan, of elementType: ElementType, into destination: inout MutableSpan<Self>,
    from first: Int)

  /// Whether a type is decoded and hashed in one loop.
  static func hasHashingLoop(for elementType: ElementType) -> Bool

  /// Decodes as ``decode(_:of:into:from:)`` and takes the bytes into `hash`, in one loop; whether all are finite.
  ///
  /// - Precondition: ``hasHashingLoop(for:)``; the bytes are whole stripes, and the hash is between stripes.
  static func decode(
    _ bytes: RawSpan, of elementType: ElementType, into destination: inout MutableSpan<Self>,
    from first: Int, hashing hash: inout XXHash64
  ) -> Bool

  /// Position of the first nan or infinity, or `nil`.
  static func firstNonFinite(in values: Span<Self>) -> Int?
}

extension DecodedElement {
  /// Decodes as ``decode(_:of:into:from:)``; whether all are finite.
  static func decodeChecked(
    _ bytes: RawSpan, of elementType: ElementType, into destination: inout MutableSpan<Self>,
    from first: Int
  ) -> Bool {
    decode(bytes, of: elementType, into: &destination, from: first)
    let places = first..<first + bytes.byteCount / (elementType.bitWidth / 8)
    return firstNonFinite(in: destination.span.extracting(places)) == nil
  }
}

// The requirements are met type by type, with loops inlined into each: a generic function called
// from another module would not be specialized, and take ten times as long.

extension Float: DecodedElement {
  public static func decode(
    _ bytes: RawSpan, of elementType: ElementType, into destination: inout MutableSpan<Float>,
    from first: Int
  ) {
    switch elementType {
    case .float64:
      fill(&destination, first, from: bytes) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
    case .float32:
      fill(&destination, first, from: bytes) { (bits: UInt32) in Float(bitPattern: bits) }
    case .float16: fill(&destination, first, from: bytes, widenedFloat16)
    case .bfloat16: fill(&destination, first, from: bytes, widenedBFloat16)
    default: preconditionFailure("\(elementType.rawValue) is not a floating-point type")
    }
  }

  public static func hasHashingLoop(for elementType: ElementType) -> Bool {
    elementType == .float32 || elementType == .bfloat16
  }

  public static func decode(
    _ bytes: RawSpan, of elementType: ElementType, into destination: inout MutableSpan<Float>,
    from first: Int, hashing hash: inout XXHash64
  ) -> Bool {
    switch elementType {
    case .float32: unsafe fill(&destination, first, 4, bytes, &hash, cvec_hash_f32_to_f32)
    case .bfloat16: unsafe fill(&destination, first, 2, bytes, &hash, cvec_hash_bf16_to_f32)
    default: preconditionFailure("\(elementType.rawValue) has no hashing loop")
    }
  }

  public static func firstNonFinite(in values: Span<Float>) -> Int? {
    scanForNonFinite(values) { ($0.bitPattern & 0x7FFF_FFFF) &+ 0x0080_0000 }
  }
}

extension Double: DecodedElement {
  public static func decode(
    _ bytes: RawSpan, of elementType: ElementType, into destination: inout MutableSpan<Double>,
    from first: Int
  ) {
    switch elementType {
    case .float64:
      fill(&destination, first, from: bytes) { (bits: UInt64) in Double(bitPattern: bits) }
    case .float32:
      fill(&destination, first, from: bytes) { (bits: UInt32) in Double(Float(bitPattern: bits)) }
    case .float16:
      fill(&destination, first, from: bytes) { (bits: UInt16) in Double(widenedFloat16(bits)) }
    case .bfloat16:
      fill(&destination, first, from: bytes) { (bits: UInt16) in Double(widenedBFloat16(bits)) }
    default: preconditionFailure("\(elementType.rawValue) is not a floating-point type")
    }
  }

  public static func hasHashingLoop(for elementType: ElementType) -> Bool {
    elementType == .float64 || Float.hasHashingLoop(for: elementType)
  }

  public static func decode(
    _ bytes: RawSpan, of elementType: ElementType, into destination: inout MutableSpan<Double>,
    from first: Int, hashing hash: inout XXHash64
  ) -> Bool {
    switch elementType {
    case .float64: unsafe fill(&destination, first, 8, bytes, &hash, cvec_hash_f64_to_f64)
    case .float32: unsafe fill(&destination, first, 4, bytes, &hash, cvec_hash_f32_to_f64)
    case .bfloat16: unsafe fill(&destination, first, 2, bytes, &hash, cvec_hash_bf16_to_f64)
    default: preconditionFailure("\(elementType.rawValue) has no hashing loop")
    }
  }

  public static func firstNonFinite(in values: Span<Double>) -> Int? {
    scanForNonFinite(values) {
      ($0.bitPattern & 0x7FFF_FFFF_FFFF_FFFF) &+ 0x0010_0000_0000_0000
    }
  }
}

/// The common case, all finite, is one loop without exits or branches, in lanes of the value's own
/// width; only a failure pays for the search.
///
/// `raised` adds 1 to the exponent of the magnitude: it carries into the sign bit for nan and infinity
/// alone.
@inline(__always)
func scanForNonFinite<T: DecodedElement, Bits: FixedWidthInteger & UnsignedInteger>(
  _ values: Span<T>, _ raised: (T) -> Bits
) -> Int? {
  var any: Bits = 0
  for index in 0..<values.count { any |= raised(unsafe values[unchecked: index]) }
  return any.leadingZeroBitCount > 0 ? nil : values.indices.first { !values[$0].isFinite }
}

/// Writes `decoded` of each stored word to `destination` from place `first` on: one branch-free loop,
/// after one check.
@inline(__always)
func fill<Stored: FixedWidthInteger & BitwiseCopyable, Decoded: BitwiseCopyable>(
  _ destination: inout MutableSpan<Decoded>, _ first: Int, from bytes: RawSpan,
  _ decoded: (Stored) -> Decoded
) {
  let stride = MemoryLayout<Stored>.size
  let count = bytes.byteCount / stride
  precondition(
    bytes.byteCount == count * stride && first >= 0 && first <= destination.count - count)
  for index in 0..<count {
    // In bounds by the precondition; unaligned because only writers align the data, readers cannot.
    let word = unsafe bytes.unsafeLoadUnaligned(
      fromUncheckedByteOffset: index &* stride, as: Stored.self)
    unsafe destination[unchecked: first &+ index] = decoded(Stored(littleEndian: word))
  }
}

/// A loop of C over the stripes of a hash that also decodes them: bytes, stripes, lanes, values; whether all are finite.
typealias HashedDecoding<Element> = (
  UnsafeRawPointer, Int, UnsafeMutablePointer<cvec_lanes>, UnsafeMutablePointer<Element>
) -> Bool

/// Lets `loop` decode elements of `width` bytes, after the same check.
@inline(__always)
func fill<Element: BitwiseCopyable>(
  _ destination: inout MutableSpan<Element>, _ first: Int, _ width: Int, _ bytes: RawSpan,
  _ hash: inout XXHash64, _ loop: HashedDecoding<Element>
) -> Bool {
  precondition(first >= 0 && first <= destination.count - bytes.byteCount / width)
  return unsafe destination.withUnsafeMutableBufferPointer { places in
    unsafe hash.takeStripes(bytes) {
      unsafe loop($0, $1, $2, places.baseAddress.unsafelyUnwrapped + first)
    }
  }
}

/// The value of a BF16: the upper half of a `Float`.
@inline(__always)
func widenedBFloat16(_ bits: UInt16) -> Float {
  Float(bitPattern: UInt32(bits) << 16)
}

/// The value of an IEEE binary16, exactly; subnormals, infinities and nans included.
///
/// Integer steps and selects instead of `Float(Float16(bitPattern:))`: without F16C, which plain
/// x86-64 does not promise, that is a library call per element; this is plain vector code anywhere.
/// A test compares the two for all 65 536 patterns.
@inline(__always)
func widenedFloat16(_ bits: UInt16) -> Float {
  let magnitude = UInt32(bits & 0x7FFF)
  // 1. Normal: move the exponent from bias 15 to bias 127.  2. Infinity and nan: from 31 to 255.
  let rebias: UInt32 = magnitude >= 0x7C00 ? (255 - 31) << 23 : (127 - 15) << 23
  let normal = magnitude << 13 &+ rebias
  // 3. Subnormal and zero: the mantissa counts units of 2⁻²⁴.
  let subnormal = (Float(Int32(bitPattern: magnitude)) * 0x1p-24).bitPattern
  let sign = UInt32(bits & 0x8000) << 16
  return Float(bitPattern: sign | (magnitude < 0x0400 ? subnormal : normal))
}
