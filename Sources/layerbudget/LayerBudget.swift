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

        layerbudget allocate --statistics stats.safetensors --budget 96 --integer -o plan.json
        mpirun -n 4 layerbudget prune --statistics stats/ --sparsity 0.5 -o plan.json
      """,
    version: LayerBudgetVersion.current,
    subcommands: [ScoreCommand.self, AllocateCommand.self, PruneCommand.self, InspectCommand.self])

  static func main() {
    let command: any ParsableCommand
    do {
      command = try parseAsRoot()
    } catch {
      // Every rank fails alike here; only the first one says so.
      if (MPILauncher.rankHint ?? 0) > 0 { Process.exit(exitCode(for: error).rawValue) }
      exit(withError: error)
    }
    var runnable = command
    do {
      try runnable.run()
    } catch {
      if (MPILauncher.rankHint ?? 0) > 0 { Process.exit(exitCode(for: error).rawValue) }
      exit(withError: error)
    }
  }
}
