internal import Allocation
internal import ArgumentParser
internal import OpenMPICollectives

/// How gains become qualities.
struct QualityOptions: ParsableArguments {
  @Option(help: "Normalisation of gains: \(QualityRule.Normalization.names).")
  var normalize = QualityRule.Normalization.mean

  @Flag(help: "Divide each gain by the unit's parameter count first.")
  var perParameter = false

  @Option(
    parsing: .unconditional, help: "Add this share of the median positive gain to every gain.")
  var qualityFloor = 0.0

  var rule: QualityRule {
    QualityRule(normalization: normalize, perParameter: perParameter, floor: qualityFloor)
  }
}

/// What a command prints and how it uses the machine.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print nothing but errors.")
  var quiet = false

  @Flag(help: "Print the result as JSON.")
  var json = false

  @Flag(inversion: .prefixedNo, help: "Colour on a terminal.")
  var color = true

  @Option(help: "BLAS threads per rank; the last bits of gains depend on it.")
  var threads = 1

  func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads is \(threads), but must be between 1 and 1024")
    }
  }

  /// Colour is for terminals whose owner has not declined it through NO_COLOR. mpirun gives rank 0 a
  /// terminal of its own wherever the output goes, so nothing is coloured under a launcher.
  var usesColor: Bool {
    color && Process.outputIsTerminal && !MPILauncher.isPresent
      && Process.environment("NO_COLOR")?.isEmpty ?? true
  }
}
