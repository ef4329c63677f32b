internal import Collectives
internal import OpenMPICollectives
internal import Workflow

/// Runs a command's work on the communicator that was started for it.
enum Launch {
  /// Under a launcher: Open MPI. Otherwise alone, without starting MPI.
  ///
  /// `body` must end alike on every rank: with a result, or with the same `Failure`. Rank 0 prints
  /// the failure; every rank exits with its code.
  static func run(_ printing: OutputOptions, _ body: some Work) {
    ComputeSetup.setThreads(printing.launch.threads)
    var code = ExitCode.good
    let display = printing.quiet ? nil : ProgressDisplay()
    if MPILauncher.isPresent {
      var watching = MPISession.Watching()
      watching.stallTimeout = printing.launch.stallTimeout
      watching.observer = display
      code = MPISession.run(watching) { world in perform(body, printing, display, over: world) }
    } else {
      code = perform(body, printing, display, over: SoloCollective(observer: display))
    }
    if code != .good { Process.exit(code.rawValue) }
  }

  private static func perform(
    _ body: some Work, _ printing: OutputOptions, _ display: ProgressDisplay?,
    over world: borrowing some Collective & ~Copyable
  ) -> ExitCode {
    do throws(Failure) {
      if body.checksFirst {
        var notes = try printing.launch.checks.run(over: world)
        if world.size > 1 { notes += printing.launch.notes }
        if world.rank == 0 && !printing.quiet { Process.print(notes: notes) }
      }
      try body.perform(over: world)
      return .good
    } catch {
      display?.endStep()
      // Where the launcher did not make one job of its processes, each of them is a rank 0.
      let isFirst = world.rank == 0 && (world.size > 1 || MPILauncher.rankHint ?? 0 == 0)
      if isFirst { Process.writeToStandardError("layerbudget: \(error)\n") }
      return error.code
    }
  }

  /// A command's work, generic over the communicator, which a closure cannot be.
  protocol Work {
    /// Whether the job is looked at before the work; `doctor` does it itself and goes on.
    var checksFirst: Bool { get }
    func perform(over world: borrowing some Collective & ~Copyable) throws(Failure)
  }
}

extension Launch.Work {
  var checksFirst: Bool { true }
}
