internal import Allocation
internal import Collectives
internal import PlanFiles

extension Failure {
  /// An error of Allocation, which every rank throws alike, in the words of users: the rank that owns
  /// the unit that it is about tells all ranks its name.
  ///
  /// Collective. - Complexity: one agreement, or none where the error is about no unit.
  init(
    _ error: AllocationError, among units: [UnitGain],
    over world: borrowing some Collective & ~Copyable
  ) {
    var name: String?
    if let index = error.unit {
      let own = units.first { $0.index == index }?.unit.name
      name = world.agree(on: own, code: ExitCode.badData.rawValue)?.message
    }
    self.init(error, unit: name)
  }
}
