public import Collectives
internal import PlanFiles

/// How far all ranks are, in one line: what, units, rate, time left, slowest rank. Has no clock.
///
///     scoring: 412 of 2,000 units (23 %), 31.2 per s, 51 s left; slowest: rank 3 on node07, 18 %
public struct ProgressLine: Sendable {
  private let job: JobProgress
  private let seconds: Double

  /// `seconds` is how long the step has taken so far.
  public init(_ job: JobProgress, seconds: Double) {
    self.job = job
    self.seconds = seconds
  }

  private var reports: [Progress] { job.ranks.compactMap(\.progress) }
  private var allHaveReported: Bool { reports.count == job.ranks.count }

  public var isComplete: Bool { job.isComplete }

  /// Done share of the predicted work of all ranks that have reported.
  public var share: Double {
    if isComplete { return 1 }
    let total = reports.reduce(0) { $0 + $1.totalWork }
    if total > 0 { return min(reports.reduce(0) { $0 + $1.doneWork } / total, 1) }
    let count = reports.reduce(0) { $0 + $1.total }
    return count > 0 ? Double(reports.reduce(0) { $0 + $1.done }) / Double(count) : 0
  }

  /// The rank with the smallest share done, the lowest of equals; nil where it says nothing.
  private var slowest: (rank: Int, host: String, share: Double)? {
    guard job.ranks.count > 1, !isComplete else { return nil }
    var slowest: (rank: Int, host: String, share: Double)?
    for (rank, standing) in job.ranks.enumerated() {
      // Ranks without any work are always done.
      let share = standing.progress?.share ?? 0
      if slowest.map({ share < $0.share }) ?? true { slowest = (rank, standing.host, share) }
    }
    return slowest
  }

  /// Seconds that are left if every rank goes on as before; nil while there is too little to go by.
  ///
  /// The last rank decides, so the estimate is its own; a rank that is in its first unit has none, and
  /// then all ranks' common share has to do.
  public var secondsLeft: Double? {
    guard !isComplete, allHaveReported else { return nil }
    let own = job.ranks.compactMap { $0.progress?.share }.min() ?? 0
    let share = own > 0 ? own : self.share
    guard share > 0, seconds > 0 else { return nil }
    return seconds * (1 - share) / share
  }

  /// At most `width` characters; what matters less goes first.
  public func text(width: Int) -> String {
    var parts = ["\(what): \(counts) (\(Self.percent(share)))"]
    if seconds > 0, done > 0 {
      parts.append("\(NumberText.short(Double(done) / seconds)) per s")
    }
    if let secondsLeft { parts.append("\(Self.duration(secondsLeft)) left") }
    if isComplete { parts.append("took \(Self.duration(seconds))") }
    var text = parts.joined(separator: ", ")
    if let slowest {
      let tail =
        "; slowest: rank \(slowest.rank) on \(slowest.host), \(Self.percent(slowest.share))"
      if text.count + tail.count <= width { text += tail }
    }
    while text.count > width, parts.count > 1 {
      parts.removeLast()
      text = parts.joined(separator: ", ")
    }
    return String(text.prefix(max(width, 0)))
  }

  private var done: Int { reports.reduce(0) { $0 + $1.done } }

  private var counts: String {
    let total = reports.reduce(0) { $0 + $1.total }
    // Ranks that have not spoken yet will bring more.
    let more = allHaveReported ? "" : "+"
    return "\(NumberText.grouped(done)) of \(NumberText.grouped(total))\(more) \(things)"
  }

  private var activity: Progress.Activity { reports.first?.activity ?? .scoring }

  private var what: String {
    switch activity {
    case .scoring: "scoring"
    case .weighing: "pricing weights"
    case .pruning: "pruning"
    case .checking: "checking what was written"
    case .surveying: "reading statistics"
    case .storing: "waiting for the disk"
    case .assembling: "putting the result together"
    case .placing: "placing"
    }
  }

  private var things: String {
    switch activity {
    case .scoring, .weighing, .placing: "units"
    case .pruning: "pieces"
    case .checking: "tensors"
    case .surveying: "modules"
    case .storing: "files"
    case .assembling: "parts"
    }
  }

  static func percent(_ share: Double) -> String { "\(Int(share * 100)) %" }

  /// `8 s`, `3 min`, `2 h 5 min`, `3 d 4 h`.
  static func duration(_ seconds: Double) -> String {
    guard seconds < 1e9 else { return "years" }
    let whole = Int(seconds.rounded())
    if whole < 120 { return "\(whole) s" }
    let minutes = (whole + 30) / 60
    if minutes < 120 { return "\(minutes) min" }
    let hours = minutes / 60
    if hours < 48 { return "\(hours) h \(minutes % 60) min" }
    return "\(hours / 24) d \(hours % 24) h"
  }
}

/// When a line is due where lines cannot be redrawn, as in the log of a batch job: after 10 s, then
/// at intervals that double up to 5 min, or with every tenth of the work. Has no clock.
public struct ProgressPace: Sendable {
  private var interval = 10.0
  private var next = 10.0
  private var last = 0.0
  private var tenths = 0

  public init() {}

  /// `seconds` and `share` are those of the step so far.
  public mutating func isDue(seconds: Double, share: Double) -> Bool {
    let tenth = Int(share * 10)
    let isEarly = seconds < 10 || seconds - last < 10
    // The end of a step that was long enough to be told of is told too.
    let hasEnded = share >= 1 && tenths < 10 && last > 0
    guard seconds >= next || (tenth > tenths && !isEarly) || hasEnded else { return false }
    if seconds >= next {
      interval = last == 0 ? interval : min(interval * 2, 300)
      next = seconds + interval
    }
    last = seconds
    tenths = tenth
    return true
  }
}
