internal import Checkpoints
internal import Collectives
internal import Curvature

/// Refuses to go on when ranks see different tensors under the same path, by their headers and a sample
/// of their data: a disk that is not shared, or an old copy of it on one host.
///
/// Collective: an agreement and a comparison; one rank alone has nobody to compare with.
func requireSameTensors(
  _ statistics: Statistics, what: String, over world: borrowing some Collective & ~Copyable
) throws(Failure) {
  try requireSameTensors(what: what, over: world) { () throws(Failure) in
    do throws(CurvatureError) { return try statistics.sampledFingerprint() } catch {
      throw Failure(error)
    }
  }
}

/// The same for a checkpoint.
func requireSameTensors(
  _ checkpoint: Checkpoint, what: String, over world: borrowing some Collective & ~Copyable
) throws(Failure) {
  try requireSameTensors(what: what, over: world) { () throws(Failure) in
    do throws(CheckpointError) { return try checkpoint.sampledFingerprint() } catch {
      throw Failure(error)
    }
  }
}

private func requireSameTensors(
  what: String, over world: borrowing some Collective & ~Copyable,
  fingerprint: () throws(Failure) -> UInt64
) throws(Failure) {
  guard world.size > 1 else { return }
  try requireSameInput(try agreed(over: world, fingerprint), what: what, over: world)
}
