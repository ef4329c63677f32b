/// The demand of capacity units against the price, under γ of which little is known yet: by columns.
struct RidingColumns: RidingDemand {
  private(set) var columns: UnitColumns
  let offset: Double
  let saturation: Double
  let cutter: LimbCutter
  /// Of units that have left.
  private var settled: Int128 = 0
  /// Whether units have left, and the columns are others than those of the search for γ.
  private(set) var isNarrowed = false

  init(_ columns: UnitColumns, offset: Double, saturation: Double, _ cutter: LimbCutter) {
    self.columns = columns
    self.offset = offset
    self.saturation = saturation
    self.cutter = cutter
  }

  func demand(given gamma: Int64) -> ColumnDemand<CapacityFormula> {
    demand(.price(gamma: OrderedKey.value(of: gamma)))
  }

  private func demand(_ searched: CapacityFormula.Searched) -> ColumnDemand<CapacityFormula> {
    ColumnDemand(
      CapacityFormula(offset: offset, saturation: saturation, searched: searched), cutter: cutter,
      sign: 1, columns: columns, isShared: true, settled: settled)
  }

  mutating func narrow(to gammas: ClosedRange<Int64>, _ prices: ClosedRange<Int64>) -> Int {
    var corners = demand(.corners(least: gammas.least(prices), most: gammas.most(prices)))
    _ = corners.localSums(at: [0, 1])
    corners.narrow(to: 0...1)
    isNarrowed = isNarrowed || corners.columns.count < columns.count
    (columns, settled) = (corners.columns, corners.settled)
    return corners.evaluations
  }
}

/// The same unit by unit.
struct RidingUnits: RidingDemand {
  /// At γ = 1.
  private var units: [PricedCapacity]
  private var foremost: [Int]
  let curve: CapacityDemand
  private var settled: Int128 = 0

  init(_ units: [PricedCapacity], foremost: [Int] = [], curve: CapacityDemand) {
    self.units = units
    self.foremost = foremost
    self.curve = curve
  }

  func demand(given gamma: Int64) -> SlicedDemand<CapacityDemand> {
    let gamma = OrderedKey.value(of: gamma)
    return SlicedDemand(
      curve, units: units.map { $0.scaled(by: gamma) }, settled: settled, foremost: foremost)
  }

  mutating func narrow(to gammas: ClosedRange<Int64>, _ prices: ClosedRange<Int64>) -> Int {
    let (least, most) = (gammas.least(prices), gammas.most(prices))
    let evaluations = 2 * units.count
    let curve = curve
    var constant: Int128 = 0
    units.removeAll { unit in
      let term = curve.term(of: unit.scaled(by: least.gamma), at: least.price)
      guard term == curve.term(of: unit.scaled(by: most.gamma), at: most.price) else {
        return false
      }
      constant += term
      return true
    }
    settled += constant
    foremost = []
    return evaluations
  }
}

extension ClosedRange<Int64> {
  /// Where units ask for least of these keys of γ and those of prices, and where for most.
  fileprivate func least(_ prices: ClosedRange<Int64>) -> CapacityFormula.Point {
    .init(
      gamma: OrderedKey.value(of: lowerBound), price: OrderedKey.value(of: prices.upperBound))
  }
  fileprivate func most(_ prices: ClosedRange<Int64>) -> CapacityFormula.Point {
    .init(
      gamma: OrderedKey.value(of: upperBound), price: OrderedKey.value(of: prices.lowerBound))
  }
}
