/// How far one rank has come in a longer step: a report for people and for the watch over stalled
/// ranks, never for results.
public struct Progress: Sendable, Equatable {
  /// What is being done. The numbers travel between ranks of one build, and nowhere else.
  public enum Activity: Int, Sendable, CaseIterable {
    case scoring, weighing, pruning, checking, surveying, storing, assembling, placing
  }

  public var activity: Activity
  /// Units, modules or pieces done and to do, of this rank.
  public var done: Int
  public var total: Int
  /// The same in predicted operations.
  public var doneWork: Double
  public var totalWork: Double
  /// Predicted operations of the unit that has just begun; 0 between units.
  public var begunWork: Double

  public init(
    _ activity: Activity, done: Int, total: Int, doneWork: Double, totalWork: Double,
    begunWork: Double = 0
  ) {
    self.activity = activity
    self.done = done
    self.total = total
    self.doneWork = doneWork
    self.totalWork = totalWork
    self.begunWork = begunWork
  }

  public var isComplete: Bool { done >= total }

  /// Done share of the predicted work, 0 to 1; of the count where no work was predicted.
  public var share: Double {
    if isComplete { return 1 }
    return totalWork > 0 ? min(doneWork / totalWork, 1) : Double(done) / Double(total)
  }
}

/// The steps of one rank in their order, each with its predicted work.
///
///     var steps = ProgressSteps(.scoring, work: predictedWork)
///     for unit in units {
///       world.report(steps.begin())
///       …
///     }
///     world.report(steps.end())
public struct ProgressSteps: Sendable {
  private let activity: Progress.Activity
  private let work: [Double]
  private let totalWork: Double
  private var begun = 0
  private var doneWork = 0.0

  public init(_ activity: Progress.Activity, work: [Double]) {
    self.activity = activity
    self.work = work
    totalWork = work.reduce(0, +)
  }

  /// Notes that the next step begins and that all steps before it are done.
  public mutating func begin() -> Progress {
    if begun > 0, begun <= work.count { doneWork += work[begun - 1] }
    begun += 1
    return Progress(
      activity, done: min(begun - 1, work.count), total: work.count, doneWork: doneWork,
      totalWork: totalWork, begunWork: begun <= work.count ? work[begun - 1] : 0)
  }

  /// Notes that all steps are done.
  public mutating func end() -> Progress {
    begun = work.count
    doneWork = totalWork
    return Progress(
      activity, done: work.count, total: work.count, doneWork: totalWork, totalWork: totalWork)
  }
}

/// How far all ranks have come in the step that they are in.
public struct JobProgress: Sendable, Equatable {
  public struct Rank: Sendable, Equatable {
    public let host: String
    /// Nil where the rank has not reported from this step yet.
    public let progress: Progress?

    public init(host: String, progress: Progress?) {
      self.host = host
      self.progress = progress
    }
  }

  /// The number of the step; a larger one is a later step.
  public let step: Int
  public let ranks: [Rank]

  public init(step: Int, ranks: [Rank]) {
    self.step = step
    self.ranks = ranks
  }

  public var isComplete: Bool { ranks.allSatisfy { $0.progress?.isComplete ?? false } }
}

/// Sees at rank 0 how far the ranks are; called on the thread that computes, so it must be quick.
public protocol ProgressObserver: AnyObject, Sendable {
  func observe(_ job: JobProgress)
  /// The step is over on all ranks, whether or not their last reports have come.
  func endStep()
}
