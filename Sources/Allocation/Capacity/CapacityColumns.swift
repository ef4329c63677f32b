package import Collectives

/// The units of a capacity program as columns: 40 bytes per unit, for programs of very many units that
/// want their price and no more.
///
/// The answer of unit k at the price λ is x(λ) of `CapacityProgram`; `CapacityProgram.solve` does the
/// same search and adds whole numbers and a certificate.
package struct CapacityColumns: Sendable {
  private let program: CapacityProgram
  private var columns: UnitColumns
  private let bounds: CapacitySetup.Bounds
  /// The first unit that is out of its range.
  private let fault: (index: Int, error: AllocationError)?

  /// - Parameter unit: this rank's unit at each position, 0 ..< `count`; asked for once.
  /// - Precondition: the utility is the logarithm.
  package init(
    _ program: CapacityProgram, count: Int, unit: (Int) -> CapacityUnit
  ) {
    precondition(program.utility == .log, "columns are for the logarithm")
    self.program = program
    var bounds = CapacitySetup.Bounds(of: program)
    var fault: (index: Int, error: AllocationError)?
    var columns = UnitColumns(filler: CapacityFormula.filler, capacity: count)
    var group: [PricedCapacity] = []
    for position in 0..<count {
      let unit = unit(position)
      if fault == nil {
        do throws(AllocationError) { try unit.validate(in: program) } catch {
          fault = (unit.index, error)
        }
      }
      let priced = PricedCapacity(unit, program: program, gamma: 1)
      bounds.include(priced)
      group.append(priced)
      if group.count == 4 || position == count - 1 {
        columns.append(group)
        group.removeAll(keepingCapacity: true)
      }
    }
    columns.thirdIsWide = bounds.costsAreWide
    columns.foremost = bounds.foremost.places
    (self.bounds, self.fault, self.columns) = (bounds, fault, columns)
  }

  /// The same columns in memory of their own, as a search takes units out of them.
  package func copied() -> CapacityColumns {
    var copy = self
    copy.columns.makeUnique()
    return copy
  }

  /// What a search found.
  package struct Priced: Sendable, Equatable {
    /// λ.
    package let price: Double
    package let gamma: Double
    /// Σ c x at the price, over all ranks.
    package let spent: Double
  }

  /// γ and the price, as `CapacityProgram.solve` finds them, to the bit. Uses the units up.
  ///
  /// Collective: every rank calls, also one that owns no unit.
  /// - Complexity: see docs/theory/price-search.md.
  package mutating func price(
    totalUnits: Int, search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> Priced {
    try program.validate()
    let setup = try bounds.agreed(
      [fault?.index ?? 0], search: &search, over: world
    ) { _ throws(AllocationError) in
      if let fault { throw fault.error }
    }
    let scale = FixedPointScale(largest: 2 * program.budget, terms: totalUnits)
    guard let cutter = LimbCutter(largest: 2 * program.budget, scale: scale) else {
      throw .invalid(
        what: "the budget", value: "\(program.budget)", limit: "at least 2^-800 for columns",
        advice: "solve the program unit by unit")
    }
    var demand = PriceableCapacity.columns(
      columns, offset: program.offset, saturation: 2 * program.budget, cutter)
    columns = UnitColumns(filler: CapacityFormula.filler, capacity: 0)
    let (gamma, crossing) = program.price(
      &demand, setup, scale: scale, totalUnits: totalUnits, search: &search, over: world)
    if case .spent(let left) = demand { columns = left }
    guard crossing.demand <= scale.fixed(program.budget) else {
      throw .infeasible(
        what: "the budget", value: "\(program.budget)",
        nearest: "the lower bounds alone cost \(scale.value(crossing.demand))",
        advice: "raise --budget or lower --min")
    }
    return Priced(
      price: OrderedKey.value(of: crossing.key), gamma: gamma, spent: scale.value(crossing.demand))
  }
}
