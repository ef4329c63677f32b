internal import OpenMPICollectives

/// The screen that a command's output ends on.
struct Screen: Sendable, Equatable {
  let columns: Int
  let rows: Int

  /// Nil where the output goes to a file or a pipe: that gets everything, at full width.
  ///
  /// mpirun gives rank 0 a terminal of its own wherever the output goes, so under a launcher the
  /// launcher's own output counts; behind another host's daemon nothing is known of it.
  static let ofOutput: Screen? = {
    let size = MPILauncher.isPresent ? Process.launcherScreenSize : Process.screenSize(of: 1)
    guard let size else { return nil }
    return Screen(
      columns: chosen("COLUMNS") ?? (size.columns > 0 ? size.columns : 80),
      rows: chosen("LINES") ?? (size.rows > 0 ? size.rows : 24))
  }()

  /// A size that the user's environment states goes before the terminal's own.
  private static func chosen(_ variable: String) -> Int? {
    Process.environment(variable).flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil }
  }

  /// How many rows a text takes, long lines wrapped.
  func rows(of text: String) -> Int {
    text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().reduce(0) {
      $0 + max(1, ($1.count + columns - 1) / columns)
    }
  }
}
