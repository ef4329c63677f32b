internal import ArgumentParser

/// What every timed benchmark lets one choose.
struct BenchOptions: ParsableArguments {
  @Option(help: "Rounds that are measured; medians over them are printed.")
  var repeats = 7

  @Option(help: "Seconds of rounds before the first that is measured.")
  var warmUp = 0.3

  @Option(help: "BLAS threads per rank.")
  var threads = 1

  @Flag(
    name: .customLong("cpu"),
    help: "Count each rank's CPU seconds, not the clock's: on a machine that others use too.")
  var countsCPU = false

  func validate() throws {
    guard (1...1_000_000).contains(repeats) else {
      throw ValidationError("--repeats is \(repeats), but must be between 1 and 1000000")
    }
    guard (0...3600).contains(warmUp) else {
      throw ValidationError("--warm-up is \(warmUp), but must be between 0 and 3600 seconds")
    }
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads is \(threads), but must be between 1 and 1024")
    }
  }
}
