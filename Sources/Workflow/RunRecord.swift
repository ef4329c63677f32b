internal import Allocation
internal import Collectives
internal import Glibc
internal import PlanFiles

/// Measures a command from its start to its end.
struct RunRecord {
  private let command: String
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant

  init(command: String) {
    self.command = command
    start = clock.now
  }

  /// The run file. Collective: slices and peaks of all ranks are gathered at rank 0; elsewhere the
  /// result is nil.
  func finish(
    slice: RunDocument.Slice, scoringSeconds: Double?, searchSeconds: Double?,
    search: PriceSearch?, resumption: Resumption? = nil,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> RunDocument? {
    var slice = slice
    slice.peakBytes = Self.peakBytes
    let slices = try gatherUnits([IndexedUnit(index: world.rank, unit: slice)], over: world)
    guard world.rank == 0 else { return nil }
    var run = RunDocument(
      command: command, version: LayerBudgetVersion.current, ranks: world.size,
      seconds: start.duration(to: clock.now).inSeconds,
      scoringSeconds: scoringSeconds.map { _ in slices.map(\.seconds).max() ?? 0 },
      searchSeconds: searchSeconds, peakBytes: slices.map(\.peakBytes).max() ?? 0,
      search: search.map(RunDocument.Search.init), slices: slices)
    if let resumption, resumption != Resumption() {
      run.resumed = resumption.count
      run.notes = resumption.notes
    }
    return run
  }

  /// The largest resident memory of this process so far.
  static var peakBytes: Int {
    var usage = rusage()
    guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
    return usage.ru_maxrss * 1024
  }
}

/// The version of the program, as printed by --version and written to run files.
public enum LayerBudgetVersion {
  public static let current = "0.1.0"
}

extension RunDocument.Search {
  init(_ search: PriceSearch) {
    self.init(
      method: search.method.rawValue, allreduces: search.allreduces,
      trials: search.stages.reduce(0) { $0 + $1.trials },
      stages: search.stages.map {
        RunDocument.Stage(
          purpose: $0.purpose.rawValue, rounds: $0.rounds, trials: $0.trials,
          bracketBits: $0.bracketBits)
      })
  }
}
