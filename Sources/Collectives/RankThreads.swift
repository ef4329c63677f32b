import Glibc

/// Runs `body(0)` … `body(count - 1)`, each on a new thread, and returns their results in order.
///
/// Threads of our own rather than tasks or a queue: every rank may sleep until all have come, so all
/// of them must exist at once, however few cores there are.
func runOnThreads<Result: Sendable>(
  count: Int, _ body: @escaping @Sendable (Int) -> Result
) -> [Result] {
  startThreads(count: count, body).join()
}

/// The same, but returns when the threads run.
func startThreads<Result: Sendable>(
  count: Int, _ body: @escaping @Sendable (Int) -> Result
) -> RunningThreads<Result> {
  let results = ResultSlots<Result>(count: count)
  let threads = (0..<count).map { rank in
    startThread(StartOfThread { results.fill(rank, with: body(rank)) })
  }
  return RunningThreads(threads: threads, results: results)
}

/// Threads that must be joined once.
struct RunningThreads<Result: Sendable> {
  fileprivate let threads: [pthread_t]
  fileprivate let results: ResultSlots<Result>

  /// The results in order, when every thread has ended.
  func join() -> [Result] {
    for thread in threads {
      let code = pthread_join(thread, nil)
      if code != 0 { fatalError("pthread_join: error \(code)") }
    }
    return results.all()
  }
}

/// One place per thread for its result.
private final class ResultSlots<Result: Sendable>: Sendable {
  private let slots: TracedMutex<[Result?]>

  init(count: Int) {
    slots = TracedMutex(Array(repeating: nil, count: count))
  }

  func fill(_ index: Int, with result: Result) {
    slots.withLock { $0[index] = result }
  }

  /// The results in order; every thread has filled its slot by the time it is joined.
  func all() -> [Result] {
    slots.withLock { $0.compactMap(\.self) }
  }
}

/// The closure a new thread starts with, as an object that C can carry.
private final class StartOfThread: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) {
    self.body = body
  }
}

private func startThread(_ start: StartOfThread) -> pthread_t {
  var thread = pthread_t()
  let code = unsafe pthread_create(
    &thread, nil,
    { start in
      guard let start = unsafe start else { return nil }
      unsafe Unmanaged<StartOfThread>.fromOpaque(start).takeRetainedValue().body()
      return nil
    },
    Unmanaged.passRetained(start).toOpaque())
  if code != 0 { fatalError("pthread_create: error \(code); too many ranks for this machine?") }
  return thread
}
