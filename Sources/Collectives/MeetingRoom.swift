import Dispatch

/// Where the threads of a `ThreadedCollective` meet, call after call.
///
/// Each rank leaves its contribution and sleeps on a semaphore of its own. The last to come combines
/// all, puts the answer on the table and wakes the others. The answer stays there until the last
/// rank of the *next* call has come, and every rank has taken it by then: each must take it before
/// it can come again.
final class MeetingRoom: Sendable {
  let size: Int

  private let table: TracedMutex<Table>
  private let bells: [DispatchSemaphore]

  private struct Table {
    var contributions: [Contribution?]
    var arrived = 0
    var answer = Contribution.Answer.nothing
    /// The first rank whose body has returned.
    var departed: Int?
  }

  init(size: Int) {
    self.size = size
    table = TracedMutex(Table(contributions: Array(repeating: nil, count: size)))
    bells = (0..<size).map { _ in DispatchSemaphore(value: 0) }
  }

  /// Returns the combined contributions of all ranks, once the last of them has come.
  func meet(rank: Int, bringing contribution: Contribution) -> Contribution.Answer {
    let answer = table.withLock { table -> Contribution.Answer? in
      if let departed = table.departed {
        Self.refuse(departed: departed, waiting: rank, in: contribution)
      }
      table.contributions[rank] = contribution
      table.arrived += 1
      guard table.arrived == size else { return nil }

      let answer = Contribution.combine(table.contributions.compactMap(\.self))
      table.contributions = Array(repeating: nil, count: size)
      table.arrived = 0
      table.answer = answer
      return answer
    }
    if let answer {
      for (other, bell) in bells.enumerated() where other != rank { bell.signal() }
      return answer
    }
    bells[rank].wait()
    return table.withLock { $0.answer }
  }

  /// Notes that a rank will not come again.
  func leave(rank: Int) {
    table.withLock { table in
      if table.departed == nil { table.departed = rank }
      for (waiting, contribution) in table.contributions.enumerated() {
        if let contribution { Self.refuse(departed: rank, waiting: waiting, in: contribution) }
      }
    }
  }

  private static func refuse(
    departed: Int, waiting: Int, in contribution: Contribution
  ) -> Never {
    CollectiveContract.violated(
      by: waiting,
      "\(contribution) waits for rank \(departed), which has returned; all ranks must call alike")
  }
}
