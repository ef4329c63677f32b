internal import Collectives

/// Checks this rank's units and lets every rank throw the same error if a unit of any rank fails.
///
/// That of the first such unit in the plan, whichever rank owns it: the words do not depend on how
/// units are divided. `indices` are the units' positions in the plan, ascending; `check` is given
/// the place of a unit among them.
/// Collective. - Complexity: one allreduce of a double; an agreement more when a unit failed.
func agreeOnUnits(
  _ indices: [Int], over world: borrowing some Collective & ~Copyable,
  _ check: (Int) throws(AllocationError) -> Void
) throws(AllocationError) {
  _ = try agreeOnUnits(indices, largest: [], over: world, check)
}

/// The same, and in the same allreduce the largest of each of `largest` over all ranks.
func agreeOnUnits(
  _ indices: [Int], largest: [Double], over world: borrowing some Collective & ~Copyable,
  _ check: (Int) throws(AllocationError) -> Void
) throws(AllocationError) -> [Double] {
  // 1. The first failure here, then the first of all ranks.
  var failure: (index: Int, error: AllocationError)?
  for (place, index) in indices.enumerated() {
    do throws(AllocationError) { try check(place) } catch {
      failure = (index, error)
      break
    }
  }
  let own = failure.map { -Double($0.index) } ?? -.infinity
  var first = [own] + largest
  world.maximum(&first)
  guard first[0] > -.infinity else { return Array(first.dropFirst()) }

  // 2. Its words. The five parts of an invalid value travel as one, separated by zero bytes.
  var text: String?
  if own == first[0], let failure {
    guard case .invalid(let what, let unit, let value, let limit, let advice) = failure.error else {
      preconditionFailure("a unit's check raises only invalid values, not \(failure.error)")
    }
    text = [what, unit.map { "\($0)" } ?? "", value, limit, advice].joined(separator: "\0")
  }
  guard let agreed = world.agree(on: text, code: 0) else {
    preconditionFailure("the rank that owns the unit has said why it failed")
  }
  let parts = agreed.message.split(separator: "\0", omittingEmptySubsequences: false).map(
    String.init)
  precondition(parts.count == 5, "a unit's error has five parts")
  throw .invalid(
    what: parts[0], unit: Int(parts[1]), value: parts[2], limit: parts[3], advice: parts[4])
}
