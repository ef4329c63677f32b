internal import Synchronization

/// While one of these lives, memory of freed matrices is kept for the next ones of the same size, all over
/// the process: the modules of a model have few shapes, and the system clears every fresh page.
///
/// A process does not grow by it: freed and living matrices together never take more than living ones
/// alone have taken at their most. What is kept goes back at the end of the last life.
public struct MatrixReuse: ~Copyable, Sendable {
  public init() { KeptMemory.shared.begin() }
  deinit { KeptMemory.shared.end() }
}

/// The blocks behind ``MatrixReuse``.
@safe package final class KeptMemory: Sendable {
  static let shared = KeptMemory()

  package init() {}

  /// Smaller blocks are the allocator's business: their pages are few and it has them at hand.
  package static let smallest = 128 << 10

  @safe private struct State: @unchecked Sendable {
    var holders = 0
    /// Bytes of living matrices, and the most there have been.
    var (living, peak) = (0, 0)
    /// The oldest first; reached by nobody else.
    var blocks: [(memory: UnsafeMutableRawPointer, byteCount: Int)] = unsafe []
    var kept = 0

    /// Takes the oldest blocks out until living and kept matrices are no more than `limit` bytes.
    mutating func shed(to limit: Int) -> [UnsafeMutableRawPointer] {
      var shed: [UnsafeMutableRawPointer] = unsafe []
      while living + kept > limit, let oldest = unsafe blocks.first {
        unsafe shed.append(oldest.memory)
        unsafe kept -= oldest.byteCount
        unsafe blocks.removeFirst()
      }
      return unsafe shed
    }
  }
  private let state = Mutex(State())
  /// Critical sections so far: says their order to the thread sanitizer, which does not see a futex handed on.
  private let sections = Atomic<Int>(0)

  private func withState<Result>(_ body: (inout State) -> sending Result) -> sending Result {
    state.withLock { state in
      _ = sections.load(ordering: .acquiring)
      defer { sections.wrappingAdd(1, ordering: .releasing) }
      return body(&state)
    }
  }

  /// Bytes of living matrices, of those kept, and the most that living ones have taken.
  package var byteCounts: (living: Int, kept: Int, peak: Int) {
    withState { ($0.living, $0.kept, $0.peak) }
  }

  package func begin() { withState { $0.holders += 1 } }

  package func end() {
    let rest = unsafe withState { state in
      state.holders -= 1
      guard state.holders == 0 else { return unsafe [UnsafeMutableRawPointer]() }
      defer { state.peak = state.living }
      return unsafe state.shed(to: 0)
    }
    for memory in unsafe rest { unsafe memory.deallocate() }
  }

  /// A block of exactly this size, the one freed last; nil where there is none, which is then counted as
  /// allocated elsewhere.
  package func take(byteCount: Int) -> UnsafeMutableRawPointer? {
    guard byteCount >= Self.smallest else { return nil }
    let (found, shed) = unsafe withState { state in
      let index = unsafe state.blocks.lastIndex { unsafe $0.byteCount == byteCount }
      var found: UnsafeMutableRawPointer?
      if let index {
        unsafe found = state.blocks.remove(at: index).memory
        state.kept -= byteCount
      }
      state.living += byteCount
      state.peak = max(state.peak, state.living)
      return unsafe (found, state.shed(to: state.peak))
    }
    for memory in unsafe shed { unsafe memory.deallocate() }
    return unsafe found
  }

  /// Whether the block is kept; it is the caller's to free where it is not.
  package func keep(_ memory: UnsafeMutableRawPointer, byteCount: Int) -> Bool {
    guard byteCount >= Self.smallest else { return false }
    return withState { state in
      state.living -= byteCount
      guard state.holders > 0 else { return false }
      unsafe state.blocks.append((memory, byteCount))
      state.kept += byteCount
      return true
    }
  }
}
