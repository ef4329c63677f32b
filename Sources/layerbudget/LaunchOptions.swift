internal import ArgumentParser
internal import OpenMPICollectives
internal import Workflow

/// How a command uses its ranks and processors.
struct LaunchOptions: ParsableArguments {
  @Option(help: "BLAS threads per rank; the last bits of gains depend on it.")
  var threads = 1

  @Flag(help: "Let ranks use different BLAS kernels or thread counts: a note, not an error.")
  var allowMixed = false

  func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads is \(threads), but must be between 1 and 1024")
    }
  }

  /// What is looked at before the work begins.
  var checks: StartupChecks {
    var checks = StartupChecks(mpi: MPISession.libraryVersion)
    checks.allowsMixed = allowMixed
    checks.startedProcesses = MPILauncher.startedProcesses
    return checks
  }
}
