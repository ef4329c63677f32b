public import Collectives

/// A program whose plans can be judged on other qualities than those they were made for.
public protocol JudgedProgram: Sendable {
  associatedtype Unit: Sendable

  /// What the plan for `plan` costs where the same units have these qualities.
  ///
  /// Collective: every rank calls, with its own units. - Complexity: two solutions.
  func regret(
    of plan: [Unit], on qualities: [Double], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> TransferRegret
}

extension CapacityProgram: JudgedProgram {
  public func regret(
    of plan: [CapacityUnit], on qualities: [Double], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> TransferRegret {
    try transferRegret(
      from: plan, to: zip(plan, qualities).map { $0.with(quality: $1) }, totalUnits: totalUnits,
      search: &search, over: world
    ).regret
  }
}

extension PruningProgram: JudgedProgram {
  public func regret(
    of plan: [PruningUnit], on qualities: [Double], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> TransferRegret {
    try transferRegret(
      from: plan, to: zip(plan, qualities).map { $0.with(quality: $1) }, totalUnits: totalUnits,
      search: &search, over: world
    ).regret
  }
}
