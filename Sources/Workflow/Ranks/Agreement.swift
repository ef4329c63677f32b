internal import Collectives

/// Runs one rank's part of a step and lets every rank fail alike if any part failed.
///
/// This is how one bad input on one rank ends the whole job in seconds, with one message and one
/// exit code, instead of a hang: nobody leaves before all have agreed.
/// Collective: every rank calls. - Complexity: one allreduce, and a broadcast when a rank failed.
func agreed<Value>(
  over world: borrowing some Collective & ~Copyable,
  _ part: () throws(Failure) -> Value
) throws(Failure) -> Value {
  var outcome: Result<Value, Failure>
  do throws(Failure) { outcome = .success(try part()) } catch { outcome = .failure(error) }
  var mine: Failure?
  if case .failure(let failure) = outcome { mine = failure }
  let text = mine.map { world.size > 1 ? "\(HostName.own): \($0.message)" : $0.message }
  if let failure = world.agree(on: text, code: mine?.code.rawValue ?? ExitCode.good.rawValue) {
    let code = ExitCode(rawValue: failure.code) ?? .internalFault
    throw Failure(code, world.size > 1 ? "\(failure)" : failure.message)
  }
  guard case .success(let value) = outcome else {
    preconditionFailure("a rank that failed has thrown above")
  }
  return value
}

/// Refuses to go on when ranks see different contents under the same name: a disk that is not
/// shared, or a file that is being changed. Collective, one allreduce.
func requireSameInput(
  _ fingerprint: UInt64, what: String, over world: borrowing some Collective & ~Copyable
) throws(Failure) {
  // Halves of 32 bits are exact in Float64; the maximum of x and of −x shows whether all agree.
  let halves = [Double(fingerprint >> 32), Double(fingerprint & 0xFFFF_FFFF)]
  var ends = halves + halves.map { -$0 }
  world.maximum(&ends)
  guard ends[0] == -ends[2], ends[1] == -ends[3] else {
    throw Failure(
      .badData,
      "\(what): the ranks see different contents; check that its folder is on a disk shared by all "
        + "hosts and that nothing is writing to it")
  }
}
