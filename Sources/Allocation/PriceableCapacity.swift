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

  /// The smallest price above that of `floor` at which Σ c x under γ is at most `target`, or as low as
  /// it gets. Collective.
  func price(
    at gamma: Double, meeting target: Int128, above floor: Int64, outlook: SearchOutlook,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) -> PriceSearch.Crossing {
    let bracket = floor...OrderedKey.largestFinite
    switch self {
    case .columns(let columns, let offset, let saturation, let cutter):
      let formula = CapacityFormula(
        offset: offset, saturation: saturation, searched: .price(gamma: gamma))
      return search.firstKey(
        for: .price,
        of: ColumnDemand(formula, cutter: cutter, sign: 1, columns: columns), nearest: target,
        in: bracket, outlook: outlook, over: world)
    case .plain(let units, let curve, let saturation, let scale):
      let demand = CapacityDemand(scale: scale, utility: curve, saturation: saturation)
      return search.firstKey(
        for: .price, of: SlicedDemand(demand, units: units.map { $0.scaled(by: gamma) }),
        nearest: target, in: bracket, outlook: outlook, over: world)
    }
  }

  /// The smallest γ at which −Σ c x at price 0 is at most `target`, or as low as it gets. Collective.
  func gamma(
    meeting target: Int128, outlook: SearchOutlook, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) -> PriceSearch.Crossing {
    let bracket = 0...OrderedKey.largestFinite
    switch self {
    case .columns(let columns, let offset, let saturation, let cutter):
      let formula = CapacityFormula(offset: offset, saturation: saturation, searched: .gamma)
      return search.firstKey(
        for: .gamma,
        of: ColumnDemand(formula, cutter: cutter, sign: -1, columns: columns), nearest: target,
        in: bracket, outlook: outlook, over: world)
    case .plain(let units, let curve, let saturation, let scale):
      let demand = UnpricedDemand(scale: scale, utility: curve, saturation: saturation)
      return search.firstKey(
        for: .gamma, of: SlicedDemand(demand, units: units), nearest: target, in: bracket,
        outlook: outlook, over: world)
    }
  }
}

extension UnitColumns {
  /// The columns of `CapacityFormula`, of units at γ = 1.
  init(_ units: [PricedCapacity]) {
    self.init(filler: CapacityFormula.filler, capacity: units.count)
    for start in stride(from: 0, to: units.count, by: 4) {
      var group = CapacityFormula.filler
      let count = min(4, units.count - start)
      for lane in 0..<count {
        let unit = units[start + lane]
        group.first[lane] = unit.weight
        // A running cost of −0 would turn 0/a into −0/…; as +0 it divides as the formula says.
        group.second[lane] = unit.runningCost + 0
        group.third[lane] = unit.cost
        group.lower[lane] = unit.lower
        group.upper[lane] = unit.upper
      }
      append(group, count: count)
    }
  }
}
