internal import ArgumentParser

/// What a command prints, and how it is started.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print nothing but errors.")
  var quiet = false

  @Flag(help: "Print the result as JSON.")
  var json = false

  @Flag(inversion: .prefixedNo, help: "Colour on a terminal.")
  var color = true

  @Flag(help: "On a terminal too: all rows and columns, and full names.")
  var full = false

  @OptionGroup(title: "Ranks and threads") var launch: LaunchOptions

  /// What tables are fitted to.
  var page: Page { Page(screen: full ? nil : Screen.ofOutput, color: usesColor) }

  /// Colour is for terminals whose owner has not declined it through NO_COLOR.
  private var usesColor: Bool {
    color && Screen.ofOutput != nil && Process.environment("TERM") != "dumb"
      && Process.environment("NO_COLOR")?.isEmpty ?? true
  }
}
