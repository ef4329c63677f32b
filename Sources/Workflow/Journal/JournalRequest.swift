/// Whether and where a command notes what it has done, so that a run that was ended goes on there.
public struct JournalRequest: Sendable {
  /// The folder: beside the output while at work, gone after success.
  public let folder: String
  /// Whether what an earlier run noted is used; otherwise it is removed.
  public var resumes = true
  /// Lines wait in memory for this long before they are written and synced together. A run that is
  /// shorter writes no journal.
  public var interval = Duration.seconds(1)
  /// Told at rank 0, as it happens, what a reader should know of an earlier run.
  public var note: @Sendable (String) -> Void = { _ in }

  public init(beside output: String) {
    self.init(folder: "\(output).journal")
  }

  init(folder: String) {
    self.folder = folder
  }

  /// Made by a rank that stops: the others look for it between units.
  var stopMark: String { "\(folder)/stop" }
}

/// What of an earlier run was used, for the run file.
struct Resumption: Sendable, Equatable {
  /// Units, or modules of an apply, of all ranks.
  var count = 0
  var notes: [String] = []
}
