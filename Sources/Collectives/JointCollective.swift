import Dispatch

/// The communicator as one of several computations sees it that run side by side and share its
/// allreduces.
///
///     let plans = JointCollective.run(budgets.count, over: world) { index, joint in
///       solve(budgets[index], over: joint)
///     }.results
///
/// Each computation runs on a thread of its own. When every one that has not ended waits in a call, the
/// sums of all go into one allreduce of the communicator and the maxima of all into another: the number
/// of allreduces is that of the longest computation, not of all together. Only the calling thread uses
/// the communicator, as MPI's funneled mode demands.
///
/// The answers are those that a computation would get alone, bit for bit. On every rank the same
/// computations must run; which calls are merged follows from the calls alone, never from timing.
public struct JointCollective: Collective {
  public let rank: Int
  public let size: Int
  private let place: Int
  private let desk: Desk

  /// Runs `body(0)` … `body(count - 1)` side by side over `world`; the results in order, and how many
  /// allreduces of sums and maxima they took together.
  ///
  /// Collective: every rank calls with equal `count`.
  /// - Complexity: the allreduces of the longest computation, `count` threads.
  public static func run<Result: Sendable>(
    _ count: Int, over world: borrowing some Collective & ~Copyable,
    _ body: @escaping @Sendable (Int, JointCollective) -> Result
  ) -> (results: [Result], allreduces: Int) {
    guard count > 0 else { return ([], 0) }
    let (rank, size) = (world.rank, world.size)
    let desk = Desk(count: count)
    let threads = startThreads(count: count) { place in
      let result = body(place, JointCollective(rank: rank, size: size, place: place, desk: desk))
      desk.leave()
      return result
    }
    // Serve until every computation has ended.
    var allreduces = 0
    while let calls = desk.nextCalls() {
      desk.answer(Self.answers(to: calls, over: world, counting: &allreduces))
    }
    return (threads.join(), allreduces)
  }

  /// Makes the calls of one round on the communicator: sums together, maxima together, the rest one by
  /// one, in the order of the computations.
  private static func answers(
    to calls: [Contribution?], over world: borrowing some Collective & ~Copyable,
    counting allreduces: inout Int
  ) -> [Contribution.Answer?] {
    var sums: [Int128] = []
    var maxima: [Double] = []
    for call in calls {
      switch call {
      case .sum(let values): sums += values
      case .maximum(let values): maxima += values
      default: break
      }
    }
    if !sums.isEmpty { world.sum(&sums) }
    if !maxima.isEmpty { world.maximum(&maxima) }
    allreduces += (sums.isEmpty ? 0 : 1) + (maxima.isEmpty ? 0 : 1)
    var (nextSum, nextMaximum) = (0, 0)
    return calls.map { call in
      switch call {
      case nil: return nil
      case .sum(let values):
        defer { nextSum += values.count }
        return .sums(Array(sums[nextSum..<nextSum + values.count]))
      case .maximum(let values):
        defer { nextMaximum += values.count }
        return .maxima(Array(maxima[nextMaximum..<nextMaximum + values.count]))
      case .gather(let bytes, let root): return .gathered(world.gather(bytes, at: root))
      case .broadcast(let bytes, let root):
        return .broadcast(world.broadcast(bytes, from: root))
      case .barrier:
        world.barrier()
        return .nothing
      }
    }
  }

  public func sum(_ values: inout [Int128]) {
    guard case .sums(let totals) = desk.call(.sum(values), from: place) else { answeredAmiss() }
    values = totals
  }

  public func maximum(_ values: inout [Double]) {
    guard case .maxima(let maxima) = desk.call(.maximum(values), from: place) else {
      answeredAmiss()
    }
    values = maxima
  }

  public func gather(_ bytes: [UInt8], at root: Int) -> [[UInt8]] {
    guard case .gathered(let all) = desk.call(.gather(bytes, root: root), from: place) else {
      answeredAmiss()
    }
    return all
  }

  public func broadcast(_ bytes: [UInt8], from root: Int) -> [UInt8] {
    guard case .broadcast(let told) = desk.call(.broadcast(bytes, root: root), from: place) else {
      answeredAmiss()
    }
    return told
  }

  public func barrier() {
    _ = desk.call(.barrier, from: place)
  }

  private func answeredAmiss() -> Never {
    CollectiveContract.violated(by: rank, "the joint communicator answered another call")
  }
}

/// A computation belongs to its thread.
@available(*, unavailable)
extension JointCollective: Sendable {}

/// Where computations leave their calls and wait for the answers.
private final class Desk: Sendable {
  private struct Papers {
    var calls: [Contribution?]
    var answers: [Contribution.Answer?]
    /// Computations that compute: neither waiting nor ended.
    var busy: Int
  }
  private let papers: TracedMutex<Papers>
  private let bells: [DispatchSemaphore]
  /// Rings when nobody computes.
  private let quiet = DispatchSemaphore(value: 0)

  init(count: Int) {
    papers = TracedMutex(
      Papers(
        calls: Array(repeating: nil, count: count), answers: Array(repeating: nil, count: count),
        busy: count))
    bells = (0..<count).map { _ in DispatchSemaphore(value: 0) }
  }

  /// Leaves a call and returns with its answer.
  func call(_ call: Contribution, from place: Int) -> Contribution.Answer {
    let isLast = papers.withLock { papers in
      papers.calls[place] = call
      papers.busy -= 1
      return papers.busy == 0
    }
    if isLast { quiet.signal() }
    bells[place].wait()
    return papers.withLock { $0.answers[place] ?? .nothing }
  }

  /// Notes that a computation has ended.
  func leave() {
    let isLast = papers.withLock { papers in
      papers.busy -= 1
      return papers.busy == 0
    }
    if isLast { quiet.signal() }
  }

  /// Waits until nobody computes. The calls that wait then, nil where a computation has ended; nil when
  /// all have.
  func nextCalls() -> [Contribution?]? {
    quiet.wait()
    return papers.withLock { papers in
      papers.calls.contains { $0 != nil } ? papers.calls : nil
    }
  }

  func answer(_ answers: [Contribution.Answer?]) {
    let waiting = papers.withLock { papers in
      let waiting = papers.calls.indices.filter { papers.calls[$0] != nil }
      papers.answers = answers
      papers.calls = Array(repeating: nil, count: papers.calls.count)
      papers.busy = waiting.count
      return waiting
    }
    for place in waiting { bells[place].signal() }
  }
}
