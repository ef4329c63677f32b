/// What measurements under many answers of another search prove about the own answer under the one it ends at.
///
/// The demand does not fall when the other answer rises. So a key whose demand is above the target under an
/// answer at or below all that are left is below the own answer under each of these; one that meets the target
/// under an answer at or above them is not.
struct CarriedBracket {
  private struct Trial {
    let answer: Int64
    let key: Int64
    let isAbove: Bool
  }
  /// An own key to try under an answer of the other search.
  struct Place {
    let answer: Int64
    let key: Int64
  }
  private var trials: [Trial] = []
  /// The own answer is above the first, if there is one, and at most the second.
  private(set) var lower: Int64?
  private(set) var upper: Int64?

  /// Takes in demands measured under one answer.
  mutating func measured(_ points: [MeasuredPoint], target: Int128, under answer: Int64) {
    let first = points.firstIndex { $0.demand <= target } ?? points.endIndex
    if first > 0 {
      trials.append(Trial(answer: answer, key: points[first - 1].key, isAbove: true))
    }
    if first < points.endIndex {
      trials.append(Trial(answer: answer, key: points[first].key, isAbove: false))
    }
  }

  /// Takes in one demand measured under one answer.
  mutating func measured(_ demand: Int128, at place: Place, target: Int128) {
    trials.append(Trial(answer: place.answer, key: place.key, isAbove: demand > target))
  }

  /// - Parameter answers: the other answer is above the first and at most the last.
  mutating func narrow(to answers: ClosedRange<Int64>) {
    for trial in trials {
      if trial.isAbove, trial.answer <= answers.lowerBound + 1 {
        lower = max(lower ?? trial.key, trial.key)
      }
      if !trial.isAbove, trial.answer >= answers.upperBound {
        upper = min(upper ?? trial.key, trial.key)
      }
    }
  }
}
