/// What ranks tell each other beside their work, as a few numbers.
package enum SignOfLife: Equatable, Sendable {
  /// How far a rank has come after so many collective calls.
  case working(Progress, calls: Int)
  /// A rank waits in its collective call of that number.
  case waiting(CollectiveCall, number: Int)
  /// A judge answers: it watches, and will be heard again within so many seconds.
  case watching(seconds: Double)

  /// Numbers of one message.
  package static let wordCount = 8

  package var words: [Double] {
    var words: [Double]
    switch self {
    case .working(let progress, let calls):
      words = [
        0, Double(calls), Double(progress.activity.rawValue), Double(progress.done),
        Double(progress.total), progress.doneWork, progress.totalWork, progress.begunWork,
      ]
    case .waiting(let call, let number):
      words = [1, Double(number), Double(call.rawValue)]
    case .watching(let seconds):
      words = [2, seconds]
    }
    words += [Double](repeating: 0, count: Self.wordCount - words.count)
    return words
  }

  /// Nil for words that no rank of this build has sent.
  package init?(words: [Double]) {
    guard words.count == Self.wordCount, words.allSatisfy(\.isFinite) else { return nil }
    switch words[0] {
    case 0:
      guard let activity = Int(exactly: words[2]).flatMap(Progress.Activity.init(rawValue:)),
        let calls = Int(exactly: words[1]), let done = Int(exactly: words[3]),
        let total = Int(exactly: words[4])
      else { return nil }
      self = .working(
        Progress(
          activity, done: done, total: total, doneWork: words[5], totalWork: words[6],
          begunWork: words[7]), calls: calls)
    case 1:
      guard let call = Int(exactly: words[2]).flatMap(CollectiveCall.init(rawValue:)),
        let number = Int(exactly: words[1])
      else { return nil }
      self = .waiting(call, number: number)
    case 2: self = .watching(seconds: words[1])
    default: return nil
    }
  }
}

/// The collective methods, as a message names them.
package enum CollectiveCall: Int, Sendable, CaseIterable {
  case sum, maximum, gather, broadcast, barrier

  package var name: String { "\(self)" }
}
