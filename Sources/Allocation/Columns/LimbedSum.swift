/// Cuts terms into the integers of a `FixedPointScale` without a branch, four at a time.
///
/// A term t is cut into up to three limbs, each a whole multiple of its grid: adding 1.5 · 2⁵² grids
/// rounds a number to the grid (ties to even) and leaves the multiple in the low bits of the sum, where
/// it is added up as an integer. What a coarser grid left over is exact, and a coarser grid holds only
/// even multiples of a finer one, so the last limb is rounded as t itself would be: the sum has the bits
/// of `FixedPointScale.fixed`, term by term.
struct LimbCutter: Sendable {
  /// Groups of four whose limbs add up in 64 bits: at most 2⁵¹ each.
  static let blockGroups = 256

  /// 1.5 · 2⁵² grids, coarsest first.
  let coarse: Lanes
  let middle: Lanes
  let fine: Lanes
  /// Whether the middle grid is the finest already, as for four million terms and more.
  let hasTwoLimbs: Bool
  /// By how many bits the grids are coarser than the scale.
  private let coarseShift: Int
  private let middleShift: Int

  /// For terms of magnitude at most `largest` on the scale that was made for them; nil where a grid
  /// would leave the range of Float64.
  init?(largest: Double, scale: FixedPointScale) {
    guard largest > 0, largest.isFinite else { return nil }
    let bits = Int(largest.exponent) + 1
    let top = bits - 51
    hasTwoLimbs = top - 52 <= scale.exponent
    let next = hasTwoLimbs ? scale.exponent : top - 51
    guard scale.exponent >= -1020, bits <= 960 else { return nil }
    coarseShift = top - scale.exponent
    middleShift = next - scale.exponent
    func magic(_ grid: Int) -> Lanes {
      Lanes(repeating: Double(sign: .plus, exponent: 52 + grid, significand: 1.5))
    }
    coarse = magic(top)
    middle = magic(next)
    fine = magic(scale.exponent)
  }

  /// The integer that `sum` stands for.
  func total(_ sum: LimbedSum) -> Int128 {
    func limb(_ words: SIMD4<Int64>, _ magic: Lanes) -> Int128 {
      // Each term brought the bits of the magic number along; they wrap around together.
      Int128(words.wrappedSum() &- Int64(bitPattern: magic[0].bitPattern) &* sum.terms)
    }
    let upper = limb(sum.coarse, coarse) << coarseShift + limb(sum.middle, middle) << middleShift
    return hasTwoLimbs ? upper : upper + limb(sum.fine, fine)
  }
}

/// The limbs of up to `LimbCutter.blockGroups` groups of terms, added up.
struct LimbedSum {
  fileprivate var coarse = SIMD4<Int64>()
  fileprivate var middle = SIMD4<Int64>()
  fileprivate var fine = SIMD4<Int64>()
  /// Terms added, wherever a limb has been added for each.
  fileprivate var terms: Int64 = 0

  /// For `groups` groups of four.
  init(groups: Int) {
    precondition(groups <= LimbCutter.blockGroups, "limbs of more terms may overflow")
    terms = Int64(4 * groups)
  }

  /// Adds a group of terms, at most `largest` each and not negative.
  @inline(__always)
  mutating func add(_ terms: Lanes, _ cutter: borrowing LimbCutter, twoLimbs: Bool) {
    let first = terms + cutter.coarse
    let rest = terms - (first - cutter.coarse)
    let second = rest + cutter.middle
    coarse &+= bits(first)
    middle &+= bits(second)
    if !twoLimbs {
      fine &+= bits((rest - (second - cutter.middle)) + cutter.fine)
    }
  }
}

/// The bit patterns of four numbers.
@inline(__always)
private func bits(_ values: Lanes) -> SIMD4<Int64> {
  // SIMD has no conversion of its own for this; both are four words of 64 bits.
  unsafe unsafeBitCast(values, to: SIMD4<Int64>.self)
}
