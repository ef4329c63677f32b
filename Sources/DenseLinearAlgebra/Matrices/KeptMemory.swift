internal import Synchronization

/// While one of these lives, memory of freed matrices is kept for the next ones of the same size, all over
/// the process: the modules of a model have few shapes, and the system clears every fresh page.
///
/// A process hardly grows by it: freed and living matrices together never take more than living ones
/// alone have taken at their most and an eighth of that, room for what a factorization works in while not all
/// matrices of a module are there. What is kept goes back at the end of the last life.
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

  /// Reached by nobody but who holds it.
  @safe private struct Block: @unchecked Sendable {
    let memory: UnsafeMutableRawPointer
    let byteCount: Int

    func free() { unsafe memory.deallocate() }
  }

  private struct State {
    var holders = 0
    /// Bytes of living matrices, and the most there have been.
    var (living, peak) = (0, 0)
    /// The oldest first.
    var blocks: [Block] = []
    var kept = 0
    /// The most that living and kept blocks may take.
    var limit: Int { peak + peak / 8 }

    /// Takes the oldest blocks out until living and kept matrices are no more than `limit` bytes.
    mutating func shed(to limit: Int) -> [Block] {
      var shed: [Block] = []
      while living + kept > limit, let oldest = blocks.first {
        shed.append(oldest)
        kept -= oldest.byteCount
        blocks.removeFirst()
      }
      return shed
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
    let rest = withState { state in
      state.holders -= 1
      guard state.holders == 0 else { return [Block]() }
      defer { state.peak = state.living }
      return state.shed(to: 0)
    }
    for block in rest { block.free() }
  }

  /// A block of exactly this size, the one freed last; nil where there is none, which is then counted as
  /// allocated elsewhere.
  package func take(byteCount: Int) -> UnsafeMutableRawPointer? {
    guard byteCount >= Self.smallest else { return nil }
    let (found, shed) = withState { state in
      var found: Block?
      if let index = state.blocks.lastIndex(where: { $0.byteCount == byteCount }) {
        found = state.blocks.remove(at: index)
        state.kept -= byteCount
      }
      state.living += byteCount
      state.peak = max(state.peak, state.living)
      return (found, state.shed(to: state.limit))
    }
    for block in shed { block.free() }
    return unsafe found?.memory
  }

  /// Whether the block is kept; it is the caller's to free where it is not.
  package func keep(_ memory: UnsafeMutableRawPointer, byteCount: Int) -> Bool {
    guard byteCount >= Self.smallest else { return false }
    let block = unsafe Block(memory: memory, byteCount: byteCount)
    return withState { state in
      state.living -= byteCount
      guard state.holders > 0 else { return false }
      state.blocks.append(block)
      state.kept += byteCount
      return true
    }
  }
}
