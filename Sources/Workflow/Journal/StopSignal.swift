internal import Glibc
internal import Synchronization

/// The signals that ask a run to stop after its current unit: SIGTERM, SIGUSR1 (Slurm's warning) and,
/// without a launcher, SIGINT.
///
/// The handler sets one flag. A second signal of any of the three ends the process at once, as they do
/// by default. What a launcher had ignored stays ignored.
public enum StopSignal {
  private static let requested = Atomic<Bool>(false)
  /// A bit per signal that has our handler.
  private static let handled = Atomic<UInt64>(0)
  private static let all = [SIGTERM, SIGUSR1, SIGINT]

  /// From here on the signals set the flag. `alone`: whether there is no launcher, which has its own
  /// way with SIGINT.
  public static func listen(alone: Bool) {
    // First use makes both values, which a handler must not do.
    guard !isRequested, handled.load(ordering: .relaxed) == 0 else { return }
    for number in all where alone || number != SIGINT {
      var earlier = sigaction()
      unsafe sigaction(number, nil, &earlier)
      let handler = unsafe earlier.__sigaction_handler.sa_handler
      guard unsafe unsafeBitCast(handler, to: Int.self) != unsafeBitCast(SIG_IGN, to: Int.self)
      else { continue }
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = { _ in StopSignal.handle() }
      action.sa_flags = SA_RESTART
      handled.bitwiseOr(1 << UInt64(number), ordering: .relaxed)
      unsafe sigaction(number, &action, nil)
    }
  }

  /// Where nothing is kept there is nothing to stop for: from here on the signals end the process at
  /// once, and so does one that came before.
  static func endAtOnce() {
    letGo()
    if isRequested { raise(SIGTERM) }
  }

  static var isRequested: Bool { requested.load(ordering: .relaxed) }

  /// Only what a handler may do: an atomic store and `signal`.
  private static func handle() {
    requested.store(true, ordering: .relaxed)
    letGo()
  }

  /// Gives our signals back to the system, whose way with each of them is to end the process.
  private static func letGo() {
    let handled = handled.load(ordering: .relaxed)
    if handled & 1 << UInt64(SIGTERM) != 0 { signal(SIGTERM, SIG_DFL) }
    if handled & 1 << UInt64(SIGUSR1) != 0 { signal(SIGUSR1, SIG_DFL) }
    if handled & 1 << UInt64(SIGINT) != 0 { signal(SIGINT, SIG_DFL) }
  }

  /// Ends a step that has nothing to note between two units of work.
  static func endIfRequested(_ what: String) throws(Failure) {
    guard isRequested else { return }
    throw Failure(
      .interrupted, "stopped by a signal \(what); the same command goes on from there")
  }
}
