/// A quantity that units ask for, as a function of one integer key (a price, a count, a position).
///
/// The contract that the search relies on: for every unit, `term(of:at:)` does not rise when the key
/// rises, bit for bit. A formula made of operations that are each monotone under rounding (addition,
/// multiplication and division with a fixed sign, minimum, maximum) fulfils it.
/// A quantity that grows with the key is given with its sign turned.
protocol DemandCurve: Sendable {
  associatedtype Unit: Sendable
  associatedtype Point

  /// What a key stands for; computed once per trial, not once per unit.
  func point(at key: Int64) -> Point

  /// The unit's demand at the point, as a fixed-point integer.
  func term(of unit: Unit, at point: Point) -> Int128
}

/// A curve together with the units that this rank owns, narrowed as the search proceeds.
struct SlicedDemand<Curve: DemandCurve>: Sendable {
  let curve: Curve
  private var active: [Curve.Unit]
  private var settled: Int128 = 0

  init(_ curve: Curve, units: [Curve.Unit]) {
    self.curve = curve
    self.active = units
  }

  /// This rank's share of the demand at every key.
  /// - Complexity: one term per active unit and key.
  func localSums(at keys: [Int64]) -> [Int128] {
    let points = keys.map(curve.point)
    var sums = [Int128](repeating: settled, count: keys.count)
    for unit in active {
      for index in points.indices {
        sums[index] += curve.term(of: unit, at: points[index])
      }
    }
    return sums
  }

  /// Takes units out of later rounds whose demand is the same at both ends of the bracket: being
  /// monotone, it is the same everywhere between them.
  mutating func narrow(to bracket: ClosedRange<Int64>) {
    let low = curve.point(at: bracket.lowerBound)
    let high = curve.point(at: bracket.upperBound)
    var constant: Int128 = 0
    let curve = curve
    active.removeAll { unit in
      let term = curve.term(of: unit, at: low)
      guard term == curve.term(of: unit, at: high) else { return false }
      constant += term
      return true
    }
    settled += constant
  }
}
