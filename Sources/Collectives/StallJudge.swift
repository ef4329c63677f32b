/// What a judging rank knows of all ranks, and whom it would call late. Has no clock: times are given.
package struct StallJudge: Sendable {
  private struct Standing: Sendable {
    var host = "unknown host"
    var process: Int?
    var progress: Progress?
    /// Collective calls that the rank had made when it reported, and the one it waits in.
    var calls = -1
    var waiting: (call: CollectiveCall, number: Int)?
    /// When the first report of the present step and the last sign of any kind came.
    var stepBegan: Double?
    var heard: Double?
  }

  private var ranks: [Standing]
  /// Seconds without a sign of life that are too many, above 0.
  private let limit: Double
  private let began: Double

  /// Predicted operations per second that a rank does at least; and what is assumed before any was
  /// measured.
  private static let leastRate = 1e8
  private static let assumedRate = 1e9
  /// A unit may take this many times as long as predicted.
  private static let leeway = 4.0

  package init(size: Int, limit: Double, now: Double) {
    ranks = Array(repeating: Standing(), count: size)
    self.limit = limit
    began = now
  }

  package mutating func introduce(_ rank: Int, host: String, process: Int?) {
    ranks[rank].host = host
    ranks[rank].process = process
  }

  /// Notes a sign. Returns whether it is news: that a rank still waits where it waited is none.
  package mutating func hear(_ sign: SignOfLife, from rank: Int, at now: Double) -> Bool {
    ranks[rank].heard = now
    switch sign {
    case .working(let progress, let calls):
      if ranks[rank].calls != calls || ranks[rank].progress?.activity != progress.activity {
        ranks[rank].stepBegan = now
      }
      ranks[rank].calls = calls
      ranks[rank].progress = progress
      ranks[rank].waiting = nil
      return true
    case .waiting(let call, let number):
      let isNews = ranks[rank].waiting?.number != number
      ranks[rank].waiting = (call, number)
      return isNews
    case .watching:
      return false
    }
  }

  package func waits(_ rank: Int) -> Bool { ranks[rank].waiting != nil }

  /// Ranks that have not arrived in the collective call of that number, as far as is known.
  package func late(in number: Int) -> [Int] {
    ranks.indices.filter { (ranks[$0].waiting?.number ?? -1) < number }
  }

  /// Seconds after which a waiting rank says again that it waits.
  package static func interval(of limit: Double) -> Double { max(limit / 6, 1) }

  /// Ranks that have arrived and then no longer said that they wait.
  private func fallenSilent(in number: Int, now: Double) -> [Int] {
    ranks.indices.filter { rank in
      guard let waiting = ranks[rank].waiting, waiting.number >= number,
        let heard = ranks[rank].heard
      else { return false }
      return now - heard > 2 * Self.interval(of: limit) + 1
    }
  }

  /// How long the ranks that are late may be silent: longer than the limit where one of them has begun
  /// a unit that should take longer.
  package func patience(in number: Int) -> Double {
    patience(withWork: late(in: number).map { ranks[$0].progress?.begunWork ?? 0 }.max() ?? 0)
  }

  /// The same for a unit of that much predicted work.
  package func patience(withWork work: Double) -> Double {
    max(limit, Self.leeway * work / rate)
  }

  /// Whether a unit of that much work may outlast the limit by itself.
  package static func mayOutlast(_ limit: Double, work: Double) -> Bool {
    leeway * work / leastRate > limit
  }

  /// The slowest rank's operations per second in its present step.
  private var rate: Double {
    let rates = ranks.compactMap { rank -> Double? in
      guard let progress = rank.progress, progress.doneWork > 0, let heard = rank.heard,
        let began = rank.stepBegan, rank.waiting == nil, heard - began > 1
      else { return nil }
      return progress.doneWork / (heard - began)
    }
    return max(rates.min() ?? Self.assumedRate, Self.leastRate)
  }

  /// How far the ranks are in the latest step that any of them has reported from.
  package var job: JobProgress {
    let step = ranks.map(\.calls).max() ?? -1
    return JobProgress(
      step: step,
      ranks: ranks.map { rank in
        JobProgress.Rank(host: rank.host, progress: rank.calls == step ? rank.progress : nil)
      })
  }

  // MARK: The verdict

  /// Ranks named in full in a message.
  private static let namedRanks = 8

  /// What to say when the run ends: who is late, where, since when, and what to try.
  package func verdict(
    waitingIn call: CollectiveCall, number: Int, silence: Double, now: Double
  ) -> String {
    let late = (late(in: number) + fallenSilent(in: number, now: now)).sorted()
    guard !late.isEmpty else {
      return
        "all \(ranks.count) ranks wait in collective call \(number) (\(call.name)), which has not ended "
        + "for \(Int(silence)) s: look at the network between their hosts, then run the same command again"
    }
    let waiting = ranks.count - late.count
    var lines = [
      "no rank has given a sign of life for \(Int(silence)) s, and \(waiting) of \(ranks.count) "
        + "rank\(ranks.count == 1 ? "" : "s") wait\(waiting == 1 ? "s" : "") in collective call \(number) "
        + "(\(call.name)) for:"
    ]
    lines += late.prefix(Self.namedRanks).map { "  " + text(of: $0, now: now) }
    if late.count > Self.namedRanks { lines.append("  and \(late.count - Self.namedRanks) more") }
    lines.append(
      "Look there whether the host is up and what the process does (ps: T is stopped, D hangs in a "
        + "disk), then run the same command again. --stall-timeout SECONDS waits longer, 0 for ever."
    )
    return lines.joined(separator: "\n")
  }

  private func text(of rank: Int, now: Double) -> String {
    let standing = ranks[rank]
    let process = standing.process.map { ", process \($0)" } ?? ""
    let last =
      standing.progress.map {
        "last reported \($0.done) of \($0.total) done (\($0.activity))"
      } ?? "has reported no progress"
    let arrived = standing.waiting.map { ", waited in call \($0.number)" } ?? ""
    let heard =
      standing.heard.map { "heard of \(Int(now - $0)) s ago" }
      ?? "not heard of since the start \(Int(now - began)) s ago"
    return "rank \(rank) on \(standing.host)\(process): \(last)\(arrived), \(heard)"
  }
}
