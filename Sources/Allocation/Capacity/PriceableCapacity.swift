internal import Collectives

/// The demand of capacity units, in the form that is fastest to search.
///
/// For the logarithm that is columns and vector instructions, at any price and γ; for powers, and on
/// scales beyond the range of the columns' arithmetic, unit by unit. Both give the same bits.
enum PriceableCapacity: Sendable {
  case columns(UnitColumns, offset: Double, saturation: Double, LimbCutter)
  /// Units at γ = 1, and the places of those that a sample must hold.
  case plain(
    [PricedCapacity], foremost: [Int], UtilityCurve, saturation: Double, FixedPointScale)

  /// - Parameters:
  ///   - units: at γ = 1.
  ///   - foremost: the places of those that a sample must hold.
  init(
    units: [PricedCapacity], foremost: [Int] = [], curve: UtilityCurve, saturation: Double,
    scale: FixedPointScale
  ) {
    guard case .log = curve.utility, let cutter = LimbCutter(largest: saturation, scale: scale)
    else {
      self = .plain(units, foremost: foremost, curve, saturation: saturation, scale)
      return
    }
    var columns = UnitColumns(units)
    columns.foremost = foremost
    self = .columns(columns, offset: curve.offset, saturation: saturation, cutter)
  }

  /// What is left of columns after a search for the price: the memory, to be given back later.
  case spent(UnitColumns)

  /// A search for the price that was begun on the way to γ: what it has found out, and what is left of the units.
  struct Begun {
    fileprivate let progress: SearchProgress
    fileprivate let columns: ColumnDemand<CapacityFormula>?
    fileprivate let units: SlicedDemand<CapacityDemand>?
  }

  /// The smallest price above that of `floor` at which Σ c x under γ is at most `target`, or as low as
  /// it gets. Uses the units up: columns are narrowed where they are. Collective.
  mutating func price(
    at gamma: Double, meeting target: Int128, above floor: Int64, outlook: SearchOutlook,
    begun: Begun?, search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) -> PriceSearch.Crossing {
    let bracket = floor...OrderedKey.largestFinite
    let units = self
    self = .spent(UnitColumns(filler: CapacityFormula.filler, capacity: 0))
    var nobody: SearchPassenger<NoRider>?
    switch consume units {
    case .columns(let columns, let offset, let saturation, let cutter):
      if var demand = begun?.columns {
        self = .spent(columns)
        return search.firstKey(
          for: .price, narrowing: &demand, nearest: target, in: bracket, outlook: outlook,
          begun: begun?.progress, passenger: &nobody, over: world)
      }
      let formula = CapacityFormula(
        offset: offset, saturation: saturation, searched: .price(gamma: gamma))
      var demand = ColumnDemand(formula, cutter: cutter, sign: 1, columns: columns)
      let crossing = search.firstKey(
        for: .price, narrowing: &demand, nearest: target, in: bracket, outlook: outlook,
        begun: begun?.progress, passenger: &nobody, over: world)
      self = .spent(demand.columns)
      return crossing
    case .plain(let units, let foremost, let curve, let saturation, let scale):
      var demand =
        begun?.units
        ?? SlicedDemand(
          CapacityDemand(scale: scale, utility: curve, saturation: saturation),
          units: units.map { $0.scaled(by: gamma) }, foremost: foremost)
      return search.firstKey(
        for: .price, narrowing: &demand, nearest: target, in: bracket, outlook: outlook,
        begun: begun?.progress, passenger: &nobody, over: world)
    case .spent: preconditionFailure("the price has been searched")
    }
  }

  /// The smallest γ at which −Σ c x at price 0 is at most `target`, or as low as it gets; and what the
  /// search for the price found out on the way, which `priceGiven` begins under a guess of γ.
  /// Collective.
  func gamma(
    meeting target: Int128, outlook: SearchOutlook, shift: AnswerShift,
    priceGiven: @escaping (_ gamma: Double, _ sample: SampledCurve?) -> SearchProgress,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) -> (crossing: PriceSearch.Crossing, price: Begun) {
    let bracket = 0...OrderedKey.largestFinite
    let start = { (gamma: Int64, sample: SampledCurve?) in
      priceGiven(OrderedKey.value(of: gamma), sample)
    }
    switch self {
    case .columns(let columns, let offset, let saturation, let cutter):
      let riding = RidingColumns(columns, offset: offset, saturation: saturation, cutter)
      var passenger: SearchPassenger? = SearchPassenger(
        riding, rank: world.rank, answers: bracket, shift: shift, progressGiven: start)
      let formula = CapacityFormula(offset: offset, saturation: saturation, searched: .gamma)
      var demand = ColumnDemand(
        formula, cutter: cutter, sign: -1, columns: columns, isShared: true)
      let crossing = search.firstKey(
        for: .gamma, narrowing: &demand, nearest: target, in: bracket, outlook: outlook,
        passenger: &passenger, over: world)
      guard let passenger else { preconditionFailure("the passenger stays") }
      search.note(evaluations: passenger.evaluations)
      // Columns that nobody has left are those of this demand, which narrows them where they are.
      return (
        crossing,
        Begun(
          progress: passenger.progress(given: crossing.key),
          columns: passenger.riding.isNarrowed
            ? passenger.riding.demand(given: crossing.key) : nil, units: nil)
      )
    case .plain(let units, let foremost, let curve, let saturation, let scale):
      let riding = RidingUnits(
        units, foremost: foremost,
        curve: CapacityDemand(scale: scale, utility: curve, saturation: saturation))
      var passenger: SearchPassenger? = SearchPassenger(
        riding, rank: world.rank, answers: bracket, shift: shift, progressGiven: start)
      var demand = SlicedDemand(
        UnpricedDemand(scale: scale, utility: curve, saturation: saturation), units: units,
        foremost: foremost)
      let crossing = search.firstKey(
        for: .gamma, narrowing: &demand, nearest: target, in: bracket, outlook: outlook,
        passenger: &passenger, over: world)
      guard let passenger else { preconditionFailure("the passenger stays") }
      search.note(evaluations: passenger.evaluations)
      return (
        crossing,
        Begun(
          progress: passenger.progress(given: crossing.key), columns: nil,
          units: passenger.riding.demand(given: crossing.key))
      )
    case .spent: preconditionFailure("the price has been searched")
    }
  }
}

extension UnitColumns {
  /// The columns of `CapacityFormula`, of units at γ = 1.
  init(_ units: [PricedCapacity]) {
    self.init(filler: CapacityFormula.filler, capacity: units.count)
    let costs = units.map(\.cost)
    thirdIsWide = (costs.max() ?? 1) > 16 * (costs.min() ?? 1)
    for start in stride(from: 0, to: units.count, by: 4) {
      append(Array(units[start..<min(start + 4, units.count)]))
    }
  }

  /// Up to four units.
  mutating func append(_ units: [PricedCapacity]) {
    var group = CapacityFormula.filler
    for (lane, unit) in units.enumerated() {
      group.first[lane] = unit.weight
      // A running cost of −0 would turn w/0 into −∞; as +0 it divides as the formula says.
      group.second[lane] = unit.runningCost + 0
      group.third[lane] = unit.cost
      group.lower[lane] = unit.lower
      group.upper[lane] = unit.upper
    }
    append(group, count: units.count)
  }
}
