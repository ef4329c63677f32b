internal import ArgumentParser
internal import OpenMPICollectives
internal import Workflow

/// The command line. Arguments are parsed before MPI starts, so help and usage errors are instant
/// and are printed by one process even under mpirun.
@main
struct LayerBudget: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "layerbudget",
    abstract: "Decide where the capacity of a large language model goes.",
    discussion: """
      Curvature-adjusted gains of layers in, one priced plan out; alone or under mpirun.

        layerbudget score --statistics stats.safetensors -o scores.json
        layerbudget allocate --scores scores.json --budget 96 --integer -o plan.json
      """,
    version: LayerBudgetVersion.current,
    subcommands: [
      ScoreCommand.self, AllocateCommand.self, PruneCommand.self, ApplyCommand.self,
      PlaceCommand.self, SweepCommand.self, TransferCommand.self, ExportCommand.self,
      ReportCommand.self, InspectCommand.self, DoctorCommand.self, ManualCommand.self,
    ])

  static func main() {
    if let failure = ProcessorCheck.failure { end(with: failure) }
    // `help` shows what there is to a wrong name, and says nothing of it.
    if CommandLine.arguments.dropFirst().first == "help" { endIfMistyped() }
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      end(with: error)
    }
  }

  /// Prints help or a usage error once, whatever the number of ranks, and exits.
  ///
  /// The first rank that exits with an error makes mpirun end the others at once. So all but rank 0
  /// wait for that, or the message could be lost.
  private static func end(with error: any Error) -> Never {
    guard (MPILauncher.rankHint ?? 0) > 0 else {
      if exitCode(for: error).rawValue == Workflow.ExitCode.usage.rawValue { endIfMistyped() }
      exit(withError: error)
    }
    let code = exitCode(for: error).rawValue
    if code != 0 { Process.waitToBeEnded() }
    Process.exit(code)
  }

  /// The same for what no command line can mend.
  private static func end(with failure: Failure) -> Never {
    if (MPILauncher.rankHint ?? 0) > 0 {
      Process.waitToBeEnded()
    } else {
      Process.writeToStandardError("layerbudget: \(failure)\n")
    }
    Process.exit(failure.code.rawValue)
  }

  private static func endIfMistyped() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard let tool = CommandDescription.ofTool(),
      let mistyped = MistypedWord(in: arguments, of: tool)
    else { return }
    if (MPILauncher.rankHint ?? 0) > 0 {
      Process.waitToBeEnded()
    } else {
      Process.writeToStandardError(mistyped.message)
    }
    Process.exit(Workflow.ExitCode.usage.rawValue)
  }
}
