internal import Collectives
internal import Curvature
internal import PlanFiles

/// The memory that a rank is predicted to hold at most, beside what its host lets it use.
struct MemoryDemand: Codable, Sendable, Equatable {
  var host: String
  /// The largest working set of the rank's modules.
  var bytes: Int
  /// What the host's ranks may use together, nil where the kernel does not say.
  var available: Int?

  /// A finding per host whose ranks together are predicted to want more than there is; a kernel kills a
  /// process beyond a control group's limit without a word.
  static func findings(_ demands: [MemoryDemand]) -> [StartupFinding] {
    let hosts = Dictionary(grouping: demands) { NaturalName($0.host) }.sorted { $0.key < $1.key }
    let excesses = hosts.compactMap { host, demands -> StartupFinding? in
      let wanted = demands.reduce(0) { $0 + $1.bytes }
      guard let available = demands.compactMap(\.available).min(), wanted > available else {
        return nil
      }
      return .error(
        "\(host.text): its \(demands.count) rank\(demands.count == 1 ? "" : "s") will hold about "
          + "\(NumberText.bytes(wanted)) of at most \(NumberText.bytes(available)); take fewer ranks "
          + "per host, --precision single or a curvature with smaller factors")
    }
    guard excesses.isEmpty, !hosts.isEmpty else { return excesses }
    let most = hosts.map { $0.value.reduce(0) { $0 + $1.bytes } }.max() ?? 0
    return [.good("memory suffices: at most \(NumberText.bytes(most)) per host")]
  }
}

extension StatisticsRequest {
  /// What every rank is predicted to hold, at rank 0; empty elsewhere. Collective.
  func memoryDemands(
    of opened: OpenedUnits, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> [MemoryDemand] {
    let owned = slicing(of: opened.units, ranks: world.size).unitsOfRank[world.rank]
    let largest = owned.flatMap { opened.units[$0].modules }.map {
      options.kind.workingSet(of: $0, precision: options.precision, rule: options.effectiveRule)
    }.max()
    let demand = MemoryDemand(
      host: HostName.own, bytes: largest ?? 0, available: (try? NodeMemory())?.bytes)
    return try gatherUnits([IndexedUnit(index: world.rank, unit: demand)], over: world)
  }

  /// Refuses to begin what a host's memory cannot hold. Collective.
  func requireMemory(
    for opened: OpenedUnits, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    let demands = try memoryDemands(of: opened, over: world)
    try agreed(over: world) { () throws(Failure) in
      let errors = MemoryDemand.findings(demands).filter { $0.severity == .error }
      guard errors.isEmpty else {
        throw Failure(.misconfigured, errors.map(\.text).joined(separator: "; "))
      }
    }
  }
}
