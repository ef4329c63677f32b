public import Collectives
internal import Curvature
internal import PlanFiles

/// The memory of every node that this run has ranks on, in natural order of host names.
///
/// Ranks of one host share its memory, so each host is counted once, however many ranks it has. Where
/// they report different limits (control groups of their own), the smallest counts: every rank may
/// rely on it. Hosts are told apart by name; two machines of one name count as one.
///
/// Collective: every rank calls and gets the same answer. Throws the same failure on every rank if
/// one of them does not learn its memory.
/// - Complexity: two agreements, one gather and one broadcast of O(ranks) short texts.
public func nodeMemories(
  over world: borrowing some Collective & ~Copyable
) throws(Failure) -> [(host: String, bytes: Int)] {
  try nodeMemories(host: HostName.own, over: world) { () throws(Failure) in
    try NodeMemory().bytes
  }
}

/// The same for a rank that says `host` and `reading` of itself.
func nodeMemories(
  host: String, over world: borrowing some Collective & ~Copyable,
  reading: () throws(Failure) -> Int
) throws(Failure) -> [(host: String, bytes: Int)] {
  // 1. Each rank's own reading.
  let own = try agreed(over: world) { () throws(Failure) in
    HostMemory(host: host, bytes: try reading())
  }
  // 2. Rank 0 counts every host once.
  let readings = try gatherUnits([IndexedUnit(index: world.rank, unit: own)], over: world)
  var smallest: [NaturalName: Int] = [:]
  for reading in readings {
    let name = NaturalName(reading.host)
    smallest[name] = min(reading.bytes, smallest[name] ?? reading.bytes)
  }
  let counted = smallest.sorted { $0.key < $1.key }
    .map { HostMemory(host: $0.key.text, bytes: $0.value) }
  // 3. Everybody learns.
  let bytes = try agreed(over: world) { () throws(Failure) -> [UInt8] in
    do throws(PlanFileError) { return try DocumentCoding.encodeLine(counted) } catch {
      throw Failure(error)
    }
  }
  let told = world.broadcast(bytes, from: 0)
  return try agreed(over: world) { () throws(Failure) in
    do throws(PlanFileError) {
      return try DocumentCoding.decode([HostMemory].self, from: told, source: "nodes of rank 0")
        .map { ($0.host, $0.bytes) }
    } catch {
      throw Failure(error)
    }
  }
}

private struct HostMemory: Codable {
  let host: String
  let bytes: Int
}
