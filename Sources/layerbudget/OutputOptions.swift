internal import ArgumentParser
internal import OpenMPICollectives

/// What a command prints, and how it is started.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print nothing but errors.")
  var quiet = false

  @Flag(help: "Print the result as JSON.")
  var json = false

  @Flag(inversion: .prefixedNo, help: "Colour on a terminal.")
  var color = true

  @OptionGroup(title: "Ranks and threads") var launch: LaunchOptions

  /// Colour is for terminals whose owner has not declined it through NO_COLOR. mpirun gives rank 0 a
  /// terminal of its own wherever the output goes, so nothing is coloured under a launcher.
  var usesColor: Bool {
    color && Process.outputIsTerminal && !MPILauncher.isPresent
      && Process.environment("NO_COLOR")?.isEmpty ?? true
  }
}
