import Synchronization

/// A `Mutex` whose order of critical sections the thread sanitizer can follow.
///
/// Under contention the kernel hands a `Mutex` on Linux from thread to thread (a priority-inheriting
/// futex), which the sanitizer does not see: with Swift 6.3.1 it reports races between sections that
/// exclude each other, in a program of ten lines. The atomic says it again in terms it knows: each
/// section acquires what the one before it released. Exclusion is the mutex's work alone.
struct TracedMutex<Value>: ~Copyable, Sendable {
  private let mutex: Mutex<Value>
  private let sections = Atomic<Int>(0)

  init(_ value: sending Value) {
    mutex = Mutex(value)
  }

  borrowing func withLock<Result>(
    _ body: (inout sending Value) -> sending Result
  ) -> sending Result {
    mutex.withLock { value in
      _ = sections.load(ordering: .acquiring)
      defer { sections.wrappingAdd(1, ordering: .releasing) }
      return body(&value)
    }
  }
}
