internal import Collectives
internal import Glibc
internal import PlanFiles
internal import TensorFiles

/// Refuses a folder that is not the same one on all hosts. Collective.
///
/// Rank 0 puts an empty file there under a name that never was, and every rank looks for it. Network disks
/// remember for some seconds that a name was not there, so a rank looks again for a while. On one host
/// there is nothing to ask.
/// - Complexity: one allreduce on one host; beside it two agreements and a file on several.
func requireSharedFolder(
  _ folder: String, over world: borrowing some Collective & ~Copyable
) throws(Failure) {
  guard isOnSeveralHosts(over: world) else { return }
  let own = Array("\(UInt64.random(in: 0 ... .max))".utf8)
  let token = world.broadcast(own, from: 0)
  let path = "\(folder)/.layerbudget-shared-\(String(decoding: token, as: UTF8.self))"
  try agreed(over: world) { () throws(Failure) in
    guard world.rank == 0 else { return }
    do throws(TensorFileError) { try DurableFile.write([], to: path) } catch {
      throw Failure(error)
    }
  }
  var missing: Failure?
  do throws(Failure) {
    try agreed(over: world) { () throws(Failure) in
      guard isThere(path) else {
        throw Failure(
          .cannotWrite,
          "\(folder): this host does not see what rank 0 writes there; choose a folder on a disk that "
            + "all hosts share")
      }
    }
  } catch {
    missing = error
  }
  // Every rank has looked; the file goes, whatever they saw.
  if world.rank == 0 { DurableFile.remove(path) }
  if let missing { throw missing }
}

private func isThere(_ path: String) -> Bool {
  for attempt in 0..<40 {
    if attempt > 0 { usleep(250_000) }
    if DiskSpace.size(of: path) != nil { return true }
  }
  return false
}

/// Whether ranks run under different host names. Collective, one allreduce.
func isOnSeveralHosts(over world: borrowing some Collective & ~Copyable) -> Bool {
  let hash = XXHash64.hash(Array(HostName.own.utf8))
  let halves = [Double(hash >> 32), Double(hash & 0xFFFF_FFFF)]
  var ends = halves + halves.map { -$0 }
  world.maximum(&ends)
  return ends[0] != -ends[2] || ends[1] != -ends[3]
}
