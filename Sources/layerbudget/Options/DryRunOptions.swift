internal import ArgumentParser

/// Asking for the division of the work instead of the work.
struct DryRunOptions: ParsableArguments {
  @Flag(help: "Print what each rank would own, with its time and memory, and stop.")
  var dryRun = false

  @Option(help: "With --dry-run: as for so many ranks, whatever the run has.")
  var ranks: Int?

  func validate() throws {
    guard let ranks else { return }
    guard dryRun else { throw ValidationError("--ranks is for --dry-run; mpirun -n starts ranks") }
    guard (1...1_000_000).contains(ranks) else {
      throw ValidationError("--ranks is \(ranks), but must be between 1 and 1000000")
    }
  }
}
