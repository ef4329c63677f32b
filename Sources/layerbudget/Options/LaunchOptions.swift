internal import ArgumentParser
internal import OpenMPICollectives
internal import PlanFiles
internal import Workflow

/// How a command uses its ranks and processors.
struct LaunchOptions: ParsableArguments {
  @Option(help: "BLAS threads per rank; the last bits of gains depend on it.")
  var threads = 1

  @Flag(help: "Let ranks use different BLAS kernels or thread counts: a note, not an error.")
  var allowMixed = false

  @Option(
    help: """
      Seconds without a sign of life from any rank after which a run that waits is ended; 0 never \
      ends it.
      """)
  var stallTimeout = MPISession.standardStallTimeout

  func validate() throws {
    guard stallTimeout == 0 || (2...1_000_000).contains(stallTimeout) else {
      throw ValidationError(
        "--stall-timeout is \(stallTimeout), but must be 0 or between 2 and 1000000 seconds")
    }
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads is \(threads), but must be between 1 and 1024")
    }
  }

  /// What a user of several ranks should know of these options.
  var notes: [String] {
    guard stallTimeout > 0, stallTimeout < 60 else { return [] }
    return [
      "--stall-timeout is \(NumberText.short(stallTimeout)) s; below 60 s it may come before the "
        + "launcher notices a lost host, and mpirun may then never end"
    ]
  }

  /// What is looked at before the work begins.
  var checks: StartupChecks {
    var checks = StartupChecks(mpi: MPISession.libraryVersion)
    checks.allowsMixed = allowMixed
    checks.startedProcesses = MPILauncher.startedProcesses
    return checks
  }
}
