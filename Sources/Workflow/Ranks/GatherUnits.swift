internal import Collectives
internal import PlanFiles

/// Units of all ranks at rank 0, in the order of their index; empty elsewhere. Collective.
///
/// Only the finished answer is ever gathered. Numbers travel in their shortest round-trip form, so
/// their bits survive.
func gatherUnits<Unit: Codable>(
  _ units: [IndexedUnit<Unit>], over world: borrowing some Collective & ~Copyable
) throws(Failure) -> [Unit] {
  guard world.size > 1 else { return units.sorted { $0.index < $1.index }.map(\.unit) }
  let own = try agreed(over: world) { () throws(Failure) in
    do throws(PlanFileError) {
      return try DocumentCoding.encode(units)
    } catch {
      throw Failure(error)
    }
  }
  let gathered = world.gather(own, at: 0)
  return try agreed(over: world) { () throws(Failure) in
    var all: [IndexedUnit<Unit>] = []
    var steps = ProgressSteps(.assembling, work: gathered.map { LoneWork.decoding($0.count) })
    for (rank, bytes) in gathered.enumerated() {
      world.report(steps.begin())
      do throws(PlanFileError) {
        all += try DocumentCoding.decode(
          [IndexedUnit<Unit>].self, from: bytes, source: "units of rank \(rank)")
      } catch {
        throw Failure(.internalFault, "\(error)")
      }
    }
    return all.sorted { $0.index < $1.index }.map(\.unit)
  }
}

/// A unit and its position in the plan.
struct IndexedUnit<Unit: Codable>: Codable {
  let index: Int
  let unit: Unit
}
