internal import Collectives

/// The demand of capacity units, in the form that is fastest to search.
///
/// For the logarithm that is columns and vector instructions, at any price and γ; for powers, and on
/// scales beyond the range of the columns' arithmetic, unit by unit. Both give the same bits.
enum PriceableCapacity: Sendable {
  case columns(UnitColumns, offset: Double, saturation: Double, LimbCutter)
  /// Units at γ = 1.
  case plain([PricedCapacity], UtilityCurve, saturation: Double, FixedPointScale)

  /// - Parameter units: at γ = 1.
  init(
    units: [PricedCapacity], curve: UtilityCurve, saturation: Double, scale: FixedPointScale
  ) {
    guard case .log = curve.utility, let cutter = LimbCutter(largest: saturation, scale: scale)
    else {
      self = .plain(units, curve, saturation: saturation, scale)
      return
    }
    self = .columns(
      UnitColumns(units), offset: curve.offset, saturation: saturation, cutter)
  }

  /// What is left of columns after a search for the price: the memory, to be given back later.
  case spent(UnitColumns)

  /// The smallest price above that of `floor` at which Σ c x under γ is at most `target`, or as low as
  /// it gets. Uses the units up: columns are narrowed where they are. Collective.
  mutating func price(
    at gamma: Double, meeting target: Int128, above floor: Int64, outlook: SearchOutlook,
    begun: SearchProgress?, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) -> PriceSearch.Crossing {
    let bracket = floor...OrderedKey.largestFinite
    let units = self
    self = .spent(UnitColumns(filler: CapacityFormula.filler, capacity: 0))
    switch consume units {
    case .columns(let columns, let offset, let saturation, let cutter):
      var demand = Self.priced(columns, offset, saturation, cutter, gamma: gamma)
      var nobody: SearchPassenger?
      let crossing = search.firstKey(
        for: .price, narrowing: &demand, nearest: target, in: bracket, outlook: outlook,
        begun: begun, passenger: &nobody, over: world)
      self = .spent(demand.columns)
      return crossing
    case .plain(let units, let curve, let saturation, let scale):
      let demand = CapacityDemand(scale: scale, utility: curve, saturation: saturation)
      return search.firstKey(
        for: .price, of: SlicedDemand(demand, units: units.map { $0.scaled(by: gamma) }),
        nearest: target, in: bracket, outlook: outlook, over: world)
    case .spent: preconditionFailure("the price has been searched")
    }
  }

  private static func priced(
    _ columns: UnitColumns, _ offset: Double, _ saturation: Double, _ cutter: LimbCutter,
    gamma: Double
  ) -> ColumnDemand<CapacityFormula> {
    let formula = CapacityFormula(
      offset: offset, saturation: saturation, searched: .price(gamma: gamma))
    return ColumnDemand(formula, cutter: cutter, sign: 1, columns: columns)
  }

  /// The smallest γ at which −Σ c x at price 0 is at most `target`, or as low as it gets; and what the
  /// search for the price found out on the way, which `priceGiven` begins under a guess of γ.
  /// Collective.
  func gamma(
    meeting target: Int128, outlook: SearchOutlook,
    priceGiven: @escaping (_ gamma: Double, _ sample: SampledCurve?) -> SearchProgress,
    priceShifted: @escaping (_ price: Double, _ gamma: Double, _ other: Double) -> Double,
    shiftError: Double,
    search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) -> (crossing: PriceSearch.Crossing, price: SearchProgress?) {
    let bracket = 0...OrderedKey.largestFinite
    switch self {
    case .columns(let columns, let offset, let saturation, let cutter):
      let rank = world.rank
      var passenger: SearchPassenger? = SearchPassenger(
        progressGiven: { priceGiven(OrderedKey.value(of: $0), $1) },
        round: { answer, progress, keys in
          let gamma = OrderedKey.value(of: answer)
          var demand = Self.priced(columns, offset, saturation, cutter, gamma: gamma)
          let round = progress.localRound(at: keys, of: &demand, rank: rank)
          return LocalRound(
            sums: round.sums, evaluations: round.evaluations + demand.evaluations)
        },
        shifted: { price, gamma, other in
          priceShifted(price, OrderedKey.value(of: gamma), OrderedKey.value(of: other))
        }, shiftError: shiftError)
      let formula = CapacityFormula(offset: offset, saturation: saturation, searched: .gamma)
      var demand = ColumnDemand(
        formula, cutter: cutter, sign: -1, columns: columns, isShared: true)
      let crossing = search.firstKey(
        for: .gamma, narrowing: &demand, nearest: target, in: bracket, outlook: outlook,
        passenger: &passenger, over: world)
      search.note(evaluations: passenger?.evaluations ?? 0)
      return (crossing, passenger?.progress(given: crossing.key))
    case .plain(let units, let curve, let saturation, let scale):
      let demand = UnpricedDemand(scale: scale, utility: curve, saturation: saturation)
      let crossing = search.firstKey(
        for: .gamma, of: SlicedDemand(demand, units: units), nearest: target, in: bracket,
        outlook: outlook, over: world)
      return (crossing, nil)
    case .spent: preconditionFailure("the price has been searched")
    }
  }
}

extension UnitColumns {
  /// The columns of `CapacityFormula`, of units at γ = 1.
  init(_ units: [PricedCapacity]) {
    self.init(filler: CapacityFormula.filler, capacity: units.count)
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
