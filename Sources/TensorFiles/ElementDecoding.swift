/// A type tensors can be decoded to: `Float` and `Double`. Not for further conformances.
public protocol DecodedElement: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// Decodes little-endian elements, each rounded to nearest where `Self` is narrower.
  ///
  /// - Precondition: `elementType.isFloatingPoint`, and `bytes` holds exactly
  ///   `destination.count` elements of it, at any alignment.
  static func decode(
    _ bytes: RawSpan, of elementType: ElementType, into destination: inout MutableSpan<Self>)

  /// Position of the first nan or infinity, or `nil`.
  static func firstNonFinite(in values: Span<Self>) -> Int?
}

// The requirements are met type by type, with loops inlined into each: a generic function called
// from another module would not be specialized, and take ten times as long.

extension Float: DecodedElement {
  public static func decode(
    _ bytes: RawSpan, of elementType: ElementType, into destination: inout MutableSpan<Float>
  ) {
    switch elementType {
    case .float64:
      fill(&destination, from: bytes) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
    case .float32: fill(&destination, from: bytes) { (bits: UInt32) in Float(bitPattern: bits) }
    case .float16: fill(&destination, from: bytes, widenedFloat16)
    case .bfloat16: fill(&destination, from: bytes, widenedBFloat16)
    default: preconditionFailure("\(elementType.rawValue) is not a floating-point type")
    }
  }

  public static func firstNonFinite(in values: Span<Float>) -> Int? {
    scanForNonFinite(values)
  }
}

extension Double: DecodedElement {
  public static func decode(
    _ bytes: RawSpan, of elementType: ElementType, into destination: inout MutableSpan<Double>
  ) {
    switch elementType {
    case .float64: fill(&destination, from: bytes) { (bits: UInt64) in Double(bitPattern: bits) }
    case .float32:
      fill(&destination, from: bytes) { (bits: UInt32) in Double(Float(bitPattern: bits)) }
    case .float16:
      fill(&destination, from: bytes) { (bits: UInt16) in Double(widenedFloat16(bits)) }
    case .bfloat16:
      fill(&destination, from: bytes) { (bits: UInt16) in Double(widenedBFloat16(bits)) }
    default: preconditionFailure("\(elementType.rawValue) is not a floating-point type")
    }
  }

  public static func firstNonFinite(in values: Span<Double>) -> Int? {
    scanForNonFinite(values)
  }
}

/// The common case, all finite, is one loop without exits; only a failure pays for the search.
@inline(__always)
func scanForNonFinite<T: DecodedElement>(_ values: Span<T>) -> Int? {
  var count = 0
  for index in 0..<values.count { count &+= unsafe values[unchecked: index].isFinite ? 0 : 1 }
  return count == 0 ? nil : values.indices.first { !values[$0].isFinite }
}

/// Writes `decoded` of each stored word to `destination`: one branch-free loop, after one check.
@inline(__always)
func fill<Stored: FixedWidthInteger & BitwiseCopyable, Decoded: BitwiseCopyable>(
  _ destination: inout MutableSpan<Decoded>, from bytes: RawSpan, _ decoded: (Stored) -> Decoded
) {
  let stride = MemoryLayout<Stored>.size
  precondition(bytes.byteCount == destination.count * stride)
  for index in 0..<destination.count {
    // In bounds by the precondition; unaligned because only writers align the data, readers cannot.
    let word = unsafe bytes.unsafeLoadUnaligned(
      fromUncheckedByteOffset: index &* stride, as: Stored.self)
    unsafe destination[unchecked: index] = decoded(Stored(littleEndian: word))
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
