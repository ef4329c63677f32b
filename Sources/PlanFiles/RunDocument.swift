/// A run file: how a result came about. Everything that a result must not depend on is here.
public struct RunDocument: Codable, Sendable, Equatable {
  public static let format = "layerbudget.run/1"

  public var format = RunDocument.format
  public var command: String
  public var version: String
  public var ranks: Int
  /// Wall time of the whole command.
  public var seconds: Double
  /// Wall time of reading and computing gains on the slowest rank.
  public var scoringSeconds: Double?
  /// Wall time of qualities, prices and certificate.
  public var searchSeconds: Double?
  /// Largest resident memory of any rank.
  public var peakBytes: Int
  public var search: Search?
  public var slices: [Slice]
  /// Units, or modules of an apply, whose results an earlier run had noted; nil without such a run.
  public var resumed: Int?
  /// What a reader should know of the earlier run.
  public var notes: [String]?

  public struct Search: Codable, Sendable, Equatable {
    public var method: String
    /// Every allreduce of normalisation, searches and certificate.
    public var allreduces: Int
    /// Trial keys evaluated, over all searches.
    public var trials: Int
    public var stages: [Stage]

    public init(method: String, allreduces: Int, trials: Int, stages: [Stage]) {
      self.method = method
      self.allreduces = allreduces
      self.trials = trials
      self.stages = stages
    }
  }

  /// One search: what for, and how many rounds it took. Each round is one allreduce.
  public struct Stage: Codable, Sendable, Equatable {
    public var purpose: String
    public var rounds: Int
    public var trials: Int
    /// ⌊log₂⌋ of the candidates left after each round, 0 at the answer; nil in older files.
    public var bracketBits: [Int]?

    enum CodingKeys: String, CodingKey {
      case purpose, rounds, trials
      case bracketBits = "bracket_bits"
    }

    public init(purpose: String, rounds: Int, trials: Int, bracketBits: [Int]? = nil) {
      self.purpose = purpose
      self.rounds = rounds
      self.trials = trials
      self.bracketBits = bracketBits
    }
  }

  /// What one rank owned.
  public struct Slice: Codable, Sendable, Equatable {
    public var rank: Int
    public var units: Int
    public var modules: Int
    /// Predicted floating-point operations.
    public var operations: Double
    public var seconds: Double
    public var peakBytes: Int

    enum CodingKeys: String, CodingKey {
      case rank, units, modules, operations, seconds
      case peakBytes = "peak_bytes"
    }

    public init(
      rank: Int, units: Int, modules: Int, operations: Double, seconds: Double, peakBytes: Int
    ) {
      self.rank = rank
      self.units = units
      self.modules = modules
      self.operations = operations
      self.seconds = seconds
      self.peakBytes = peakBytes
    }
  }

  enum CodingKeys: String, CodingKey {
    case format, command, version, ranks, seconds, search, slices, resumed, notes
    case scoringSeconds = "scoring_seconds"
    case searchSeconds = "search_seconds"
    case peakBytes = "peak_bytes"
  }

  public init(
    command: String, version: String, ranks: Int, seconds: Double, scoringSeconds: Double?,
    searchSeconds: Double?, peakBytes: Int, search: Search?, slices: [Slice]
  ) {
    self.command = command
    self.version = version
    self.ranks = ranks
    self.seconds = seconds
    self.scoringSeconds = scoringSeconds
    self.searchSeconds = searchSeconds
    self.peakBytes = peakBytes
    self.search = search
    self.slices = slices
  }
}
