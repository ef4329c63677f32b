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

/// What a search sums over the units of this rank.
protocol SearchedDemand: Sendable {
  /// Units whose demand the search still depends on.
  var activeUnits: Int { get }
  /// Those of them that ask for different amounts at the ends of the keys asked last, as far as known.
  var movingUnits: Int { get }
  /// Terms evaluated so far: one for each unit and key.
  var evaluations: Int { get }

  /// This rank's share of the demand at every key; the keys are ascending.
  mutating func localSums(at keys: [Int64]) -> [Int128]

  /// Says that the answer lies within `bracket`: units whose demand is the same at both ends may leave.
  mutating func narrow(to bracket: ClosedRange<Int64>)

  /// One that may be narrowed without this one, and has evaluated nothing.
  func copy() -> Self

  /// A demand of about one unit for every `stride` of these, whose sums estimate the sums of all.
  func sample(every stride: Int) -> Self
}

/// A curve together with the units that this rank owns, narrowed as the search proceeds.
struct SlicedDemand<Curve: DemandCurve>: SearchedDemand {
  let curve: Curve
  private var active: [Curve.Unit]
  private var settled: Int128
  /// How many units each stands for, but for the first `single`, which stand for themselves.
  private let multiplicity: Int128
  private var single: Int
  /// Places of units that a sample takes for certain.
  private var foremost: [Int]
  private(set) var evaluations = 0

  /// - Parameters:
  ///   - settled: what units that have left ask for.
  ///   - foremost: places of units that a sample takes for certain.
  init(_ curve: Curve, units: [Curve.Unit], settled: Int128 = 0, foremost: [Int] = []) {
    self.init(
      curve, units: units, settled: settled, single: units.count, multiplicity: 1,
      foremost: foremost)
  }

  private init(
    _ curve: Curve, units: [Curve.Unit], settled: Int128, single: Int, multiplicity: Int128,
    foremost: [Int] = []
  ) {
    self.foremost = foremost
    self.curve = curve
    self.single = single
    self.active = units
    movingUnits = units.count
    self.settled = settled
    self.multiplicity = multiplicity
  }

  var activeUnits: Int { active.count }
  private(set) var movingUnits: Int

  /// This rank's share of the demand at every key.
  /// - Complexity: one term per active unit and key.
  mutating func localSums(at keys: [Int64]) -> [Int128] {
    evaluations += active.count * keys.count
    let points = keys.map(curve.point)
    var sums = [Int128](repeating: settled, count: keys.count)
    var moving = 0
    func add(_ units: ArraySlice<Curve.Unit>, times: Int128) {
      var part = [Int128](repeating: 0, count: keys.count)
      for unit in units {
        let first = curve.term(of: unit, at: points[0])
        var last = first
        part[0] += first
        for index in points.indices.dropFirst() {
          last = curve.term(of: unit, at: points[index])
          part[index] += last
        }
        if first != last { moving += 1 }
      }
      for index in points.indices { sums[index] += times * part[index] }
    }
    add(active[..<single], times: 1)
    if single < active.count { add(active[single...], times: multiplicity) }
    movingUnits = keys.count > 1 ? moving : active.count
    return sums
  }

  /// Takes units out of later rounds whose demand is the same at both ends of the bracket: being
  /// monotone, it is the same everywhere between them.
  mutating func narrow(to bracket: ClosedRange<Int64>) {
    precondition(multiplicity == 1, "units leave a demand, not a sample of it")
    evaluations += 2 * active.count
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
    (single, movingUnits, foremost) = (active.count, active.count, [])
  }

  func copy() -> Self {
    var copy = self
    copy.evaluations = 0
    return copy
  }

  /// One unit out of every `stride`, at a place in its window that looks random, so that units that
  /// repeat (a block of seven modules) are not always met at the same one; and the foremost as they are.
  func sample(every stride: Int) -> Self {
    let certain = Set(foremost)
    let drawn = (0..<active.count / stride).map { window in
      window * stride + Int(scrambled(UInt64(window)) % UInt64(stride))
    }
    let places = foremost + drawn.filter { !certain.contains($0) }
    return SlicedDemand(
      curve, units: places.map { active[$0] }, settled: settled, single: foremost.count,
      multiplicity: Int128(stride))
  }
}

/// A number that looks random, from a number: the mixing step of SplitMix64 by Sebastiano Vigna.
func scrambled(_ number: UInt64) -> UInt64 {
  var mixed = (number &+ 1) &* 0x9E37_79B9_7F4A_7C15
  mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
  mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
  return mixed ^ mixed >> 31
}
