internal import Glibc

/// One thread beside the caller's that asks the system for what will be read next, while the caller
/// computes.
///
/// At most one errand is under way: ``begin(_:)`` waits for the one before, so that nothing runs further
/// ahead than what the caller began last. Errands bring bytes into the system's cache and change no
/// result; where no thread can be started, the caller reads without.
public struct ReadAhead: ~Copyable {
  private var running: pthread_t?

  public init() {}

  deinit { Self.join(running) }

  /// Waits for the errand before and begins `errand` on another thread.
  public mutating func begin(_ errand: @escaping @Sendable () -> Void) {
    end()
    var thread = pthread_t()
    let start = unsafe Unmanaged.passRetained(Errand(errand))
    let code = unsafe pthread_create(
      &thread, nil,
      { start in
        guard let start = unsafe start else { return nil }
        unsafe Unmanaged<Errand>.fromOpaque(start).takeRetainedValue().body()
        return nil
      }, start.toOpaque())
    if code == 0 { running = thread } else { unsafe start.release() }
  }

  /// Waits for the errand that is under way.
  public mutating func end() {
    Self.join(running)
    running = nil
  }

  private static func join(_ thread: pthread_t?) {
    if let thread { pthread_join(thread, nil) }
  }

  /// A closure as an object that C can carry.
  private final class Errand: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
      self.body = body
    }
  }
}
