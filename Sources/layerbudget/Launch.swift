internal import Collectives
internal import OpenMPICollectives
internal import Workflow

/// Runs a command's work on the communicator that was started for it.
enum Launch {
  /// Under a launcher: Open MPI. Otherwise alone, without starting MPI.
  ///
  /// `body` must end alike on every rank: with a result, or with the same `Failure`. Rank 0 prints
  /// the failure; every rank exits with its code.
  static func run(
    threads: Int, _ body: some Work
  ) {
    if body.stopsBetweenUnits { StopSignal.listen(alone: !MPILauncher.isPresent) }
    ComputeSetup.setThreads(threads)
    var code = ExitCode.good
    if MPILauncher.isPresent {
      code = MPISession.run { world in perform(body, over: world) }
    } else {
      code = perform(body, over: SoloCollective())
    }
    if code != .good { Process.exit(code.rawValue) }
  }

  private static func perform(
    _ body: some Work, over world: borrowing some Collective & ~Copyable
  ) -> ExitCode {
    do throws(Failure) {
      try body.perform(over: world)
      return .good
    } catch {
      if world.rank == 0 { Process.writeToStandardError("layerbudget: \(error)\n") }
      return error.code
    }
  }

  /// A command's work, generic over the communicator, which a closure cannot be.
  protocol Work {
    /// Whether a signal lets it finish its current unit, to go on from there another time; otherwise
    /// signals end it at once.
    var stopsBetweenUnits: Bool { get }
    func perform(over world: borrowing some Collective & ~Copyable) throws(Failure)
  }
}

extension Launch.Work {
  var stopsBetweenUnits: Bool { false }
}

extension GainSource {
  /// Whether there is work worth a journal: reading scores is none.
  var computesGains: Bool {
    if case .statistics = self { true } else { false }
  }
}
