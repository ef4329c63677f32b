extension StoredWord {
  /// The word of a value in the type, rounded to nearest, ties to even; +0 for both zeros.
  ///
  /// BF16 is rounded by way of F32. A finite value beyond the type's range gives an infinity, which the
  /// caller must not write.
  /// - Precondition: the type is F16, BF16, F32 or F64 and as wide as `Self`.
  @inlinable
  public static func encoding(_ value: Double, as type: ElementType) -> Self {
    guard value != 0 else { return 0 }
    switch type {
    case .float64: return Self(truncatingIfNeeded: value.bitPattern)
    case .float32: return Self(truncatingIfNeeded: Float(value).bitPattern)
    case .float16: return Self(truncatingIfNeeded: Float16(value).bitPattern)
    default:
      let bits = Float(value).bitPattern
      // Half of the dropped part, and one less where the kept part is even: ties go to even.
      return Self(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
    }
  }

  /// The words of many values: ``encoding(_:as:)`` of each.
  ///
  /// - Precondition: as many words as values.
  @inlinable
  public static func encode<Value: BinaryFloatingPoint & BitwiseCopyable>(
    _ values: Span<Value>, as type: ElementType, into words: inout MutableSpan<Self>
  ) {
    precondition(values.count == words.count)
    // A loop for the type that models are stored in; the others share one.
    if type == .bfloat16 {
      for index in 0..<values.count {
        let value = unsafe Double(values[unchecked: index])
        unsafe words[unchecked: index] = encoding(value, as: .bfloat16)
      }
    } else {
      for index in 0..<values.count {
        let value = unsafe Double(values[unchecked: index])
        unsafe words[unchecked: index] = encoding(value, as: type)
      }
    }
  }

  /// The value of a word of the type.
  ///
  /// - Precondition: the type is F16, BF16, F32 or F64 and as wide as `Self`.
  @inlinable
  public func decoded(as type: ElementType) -> Double {
    switch type {
    case .float64: Double(bitPattern: UInt64(truncatingIfNeeded: self))
    case .float32: Double(Float(bitPattern: UInt32(truncatingIfNeeded: self)))
    case .float16: Double(Float16(bitPattern: UInt16(truncatingIfNeeded: self)))
    default: Double(Float(bitPattern: UInt32(truncatingIfNeeded: self) << 16))
    }
  }
}
