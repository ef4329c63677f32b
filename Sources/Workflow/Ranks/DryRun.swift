public import Collectives
internal import Curvature

/// What each rank would do: units, predicted work, bytes read, peak memory.
public struct DryRun: Codable, Sendable, Equatable {
  public struct Rank: Codable, Sendable, Equatable {
    public let rank: Int
    public let units: Int
    public let modules: Int
    public let operations: Double
    public let bytesRead: Int
    public let peakBytes: Int

    enum CodingKeys: String, CodingKey {
      case rank, units, modules, operations
      case bytesRead = "bytes_read"
      case peakBytes = "peak_bytes"
    }
  }
  public let ranks: [Rank]
  /// Largest predicted work of a rank over the mean: 1 is perfect balance.
  public let imbalance: Double

  /// Headers only. Collective: every rank opens the statistics, so that a failure is agreed on.
  public static func of(
    _ request: StatisticsRequest, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> DryRun {
    let opened = try request.open(over: world)
    let (statistics, units) = (opened.statistics, opened.units)
    let options = request.options
    let slicing = request.slicing(of: units, ranks: world.size)
    let ranks = slicing.unitsOfRank.enumerated().map { rank, owned in
      let modules = owned.flatMap { units[$0].modules }
      return Rank(
        rank: rank, units: owned.count, modules: modules.count, operations: slicing.work[rank],
        bytesRead: modules.reduce(0) {
          $0 + statistics.bytesRead(of: $1, under: options)
        },
        peakBytes: modules.map {
          options.kind.workingSet(of: $0, precision: options.precision, rule: options.effectiveRule)
        }.max() ?? 0)
    }
    return DryRun(ranks)
  }

  init(_ ranks: [Rank]) {
    self.ranks = ranks
    let work = ranks.map(\.operations)
    let mean = work.reduce(0, +) / Double(max(ranks.count, 1))
    imbalance = mean > 0 ? (work.max() ?? 0) / mean : 1
  }
}
