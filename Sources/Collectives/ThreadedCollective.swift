/// One of several ranks that are threads of this process.
///
/// For tests and for one machine without MPI: real concurrency, no launcher. There may be more
/// ranks than cores, because waiting ranks sleep. Ranks that call differently (another method,
/// count or root, or a rank that returned early) end the process with a text that names both.
///
/// Per call every rank sleeps until the last has come, who combines: O(p·count) time and memory.
public struct ThreadedCollective: Collective {
  public let rank: Int
  public var size: Int { room.size }

  private let room: MeetingRoom

  /// Runs `body` once per rank, each on a thread of its own, and returns the results in rank order.
  ///
  /// `body` may throw only what all ranks throw together, such as an `AgreedFailure`; the error of
  /// rank 0 is rethrown. A rank that throws while others wait for it ends the process.
  /// - Precondition: `ranks >= 1`
  public static func run<Result: Sendable, Failure: Error>(
    ranks: Int,
    _ body: @escaping @Sendable (ThreadedCollective) throws(Failure) -> Result
  ) throws(Failure) -> [Result] {
    guard ranks >= 1 else { fatalError("ThreadedCollective.run: \(ranks) ranks, need at least 1") }
    let room = MeetingRoom(size: ranks)
    let outcomes = runOnThreads(count: ranks) { rank -> Swift.Result<Result, Failure> in
      defer { room.leave(rank: rank) }
      do throws(Failure) {
        return .success(try body(ThreadedCollective(rank: rank, room: room)))
      } catch {
        return .failure(error)
      }
    }
    var results: [Result] = []
    for outcome in outcomes {
      results.append(try outcome.get())
    }
    return results
  }

  public func sum(_ values: inout [Int128]) {
    guard case .sums(let totals) = room.meet(rank: rank, bringing: .sum(values)) else {
      answeredAmiss()
    }
    values = totals
  }

  public func maximum(_ values: inout [Double]) {
    CollectiveContract.canonicalise(&values, rank: rank)
    guard case .maxima(let maxima) = room.meet(rank: rank, bringing: .maximum(values)) else {
      answeredAmiss()
    }
    values = maxima
  }

  public func gather(_ bytes: [UInt8], at root: Int) -> [[UInt8]] {
    CollectiveContract.checkRoot(root, rank: rank, size: size, method: "gather")
    guard case .gathered(let all) = room.meet(rank: rank, bringing: .gather(bytes, root: root))
    else { answeredAmiss() }
    return rank == root ? all : []
  }

  public func broadcast(_ bytes: [UInt8], from root: Int) -> [UInt8] {
    CollectiveContract.checkRoot(root, rank: rank, size: size, method: "broadcast")
    let own = rank == root ? bytes : []
    guard case .broadcast(let bytes) = room.meet(rank: rank, bringing: .broadcast(own, root: root))
    else { answeredAmiss() }
    return bytes
  }

  public func barrier() {
    _ = room.meet(rank: rank, bringing: .barrier)
  }

  /// The room refuses mixed calls, so each call is answered in kind.
  private func answeredAmiss() -> Never {
    CollectiveContract.violated(by: rank, "the meeting room answered another call")
  }
}

/// A rank belongs to its thread.
@available(*, unavailable)
extension ThreadedCollective: Sendable {}
