internal import Collectives
internal import Glibc
internal import Synchronization
internal import Workflow

/// Shows on standard error how far a run is: one line redrawn on a terminal, a line now and then
/// elsewhere. mpirun passes standard error on through a pipe, so under it lines are written.
final class ProgressDisplay: ProgressObserver {
  private struct State {
    var step: Int?
    var activity: Progress.Activity?
    var began = ContinuousClock().now
    var drawn = ContinuousClock().now
    var isVisible = false
    var pace = ProgressPace()
  }
  private let state = Mutex(State())
  private let isTerminal = isatty(2) == 1

  func observe(_ job: JobProgress) {
    let now = ContinuousClock().now
    state.withLock { state in
      guard let activity = job.ranks.lazy.compactMap(\.progress?.activity).first else { return }
      if state.step != job.step || state.activity != activity {
        erase(&state)
        state.step = job.step
        state.activity = activity
        state.began = now
        state.pace = ProgressPace()
      }
      let elapsed = (now - state.began).inSeconds
      let line = ProgressLine(job, seconds: elapsed)
      if isTerminal {
        if line.isComplete {
          erase(&state)
        } else if elapsed >= 1, !state.isVisible || (now - state.drawn).inSeconds >= 0.2 {
          Process.writeToStandardError("\r" + line.text(width: Self.width - 1) + "\u{1B}[K")
          state.isVisible = true
          state.drawn = now
        }
      } else if state.pace.isDue(seconds: elapsed, share: line.share) {
        Process.writeToStandardError(line.text(width: .max) + "\n")
      }
    }
  }

  /// Makes room for other text.
  func endStep() {
    state.withLock { erase(&$0) }
  }

  private func erase(_ state: inout State) {
    if state.isVisible { Process.writeToStandardError("\r\u{1B}[K") }
    state.isVisible = false
  }

  /// Columns of the terminal, 80 where it does not say.
  private static var width: Int {
    guard let columns = Process.screenSize(of: 2)?.columns, columns > 0 else { return 80 }
    return columns
  }
}

extension Duration {
  fileprivate var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
