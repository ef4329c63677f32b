internal import Collectives

/// Runs a check of this rank's units and lets every rank throw the same error if any rank's failed.
/// Collective.
func agreeOnUnits(
  over world: borrowing some Collective & ~Copyable,
  _ check: () throws(AllocationError) -> Void
) throws(AllocationError) {
  var failure: AllocationError?
  do throws(AllocationError) { try check() } catch { failure = error }
  // The four texts of an invalid value travel as one, separated by zero bytes.
  var text: String?
  if case .invalid(let what, let value, let limit, let advice) = failure {
    text = [what, value, limit, advice].joined(separator: "\0")
  } else if let failure {
    preconditionFailure("a unit's check raises only invalid values, not \(failure)")
  }
  guard let agreed = world.agree(on: text, code: 0) else { return }
  let parts = agreed.message.split(separator: "\0", omittingEmptySubsequences: false).map(
    String.init)
  precondition(parts.count == 4, "a unit's error has four parts")
  throw .invalid(what: parts[0], value: parts[1], limit: parts[2], advice: parts[3])
}
