public import Collectives
internal import Curvature

/// What each rank would do: units, predicted work, bytes read, peak memory, time.
///
/// The time is that of an undisturbed rank of this machine, whose files come at the rate they came at
/// just now. It does not count what a start of MPI and the price take, which is seconds at most.
public struct DryRun: Codable, Sendable, Equatable {
  public struct Rank: Codable, Sendable, Equatable {
    public let rank: Int
    public let units: Int
    public let modules: Int
    public let operations: Double
    public let bytesRead: Int
    public let peakBytes: Int
    /// Predicted; nil where nothing was measured.
    public var seconds: Double?

    enum CodingKeys: String, CodingKey {
      case rank, units, modules, operations, seconds
      case bytesRead = "bytes_read"
      case peakBytes = "peak_bytes"
    }
  }
  public let ranks: [Rank]
  /// Largest predicted work of a rank over the mean: 1 is perfect balance.
  public let imbalance: Double
  /// What no division of the units can be below: 1 unless single units are too large.
  public let smallestImbalance: Double
  /// What times were made with; nil where nothing was measured.
  public private(set) var rates: MachineRates?

  enum CodingKeys: String, CodingKey {
    case ranks, imbalance, rates
    case smallestImbalance = "smallest_imbalance"
  }

  /// Headers, and a small sample of the data for the rates. Collective: every rank opens the
  /// statistics, so that a failure is agreed on.
  ///
  /// - Parameter ranks: for how many ranks; those of the run where nil.
  public static func of(
    _ request: StatisticsRequest, ranks: Int? = nil,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> DryRun {
    let opened = try request.open(over: world)
    let (statistics, units) = (opened.statistics, opened.units)
    let options = request.options
    let rates = MachineRates.measured(statistics, options, over: world)
    let slicing = request.slicing(of: units, ranks: ranks ?? world.size)
    let ranks = slicing.unitsOfRank.enumerated().map { rank, owned in
      let modules = owned.flatMap { units[$0].modules }
      let bytes = modules.reduce(0) { $0 + statistics.bytesRead(of: $1, under: options) }
      return Rank(
        rank: rank, units: owned.count, modules: modules.count, operations: slicing.work[rank],
        bytesRead: bytes,
        peakBytes: modules.map {
          options.kind.workingSet(of: $0, precision: options.precision, rule: options.effectiveRule)
        }.max() ?? 0,
        seconds: rates.seconds(operations: slicing.work[rank], bytes: bytes))
    }
    var plan = DryRun(ranks, units: units.map(request.work))
    plan.rates = rates
    return plan
  }

  /// - Parameter units: the work of everything that was divided.
  init(_ ranks: [Rank], units: [Double]) {
    self.ranks = ranks
    let work = ranks.map(\.operations)
    let (mean, largest) = (work.reduce(0, +) / Double(max(ranks.count, 1)), work.max() ?? 0)
    let bound = WorkBound(work: units, ranks: max(ranks.count, 1)).value(below: largest)
    imbalance = mean > 0 ? largest / mean : 1
    smallestImbalance = mean > 0 ? max(bound / mean, 1) : 1
  }
}
