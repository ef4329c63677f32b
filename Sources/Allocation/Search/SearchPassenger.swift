/// A search that depends on the answer of another one and is made on the way to it.
///
/// The price depends on γ. As soon as γ can be guessed, what a search for the price would ask for next
/// travels in the allreduces of the search for γ, under the best guess of γ. If γ turns out to be that
/// guess, to the bit, the sums are true ones and the search for the price goes on where it is; if not, they
/// say where to look.
struct SearchPassenger {
  /// This rank's part of a round at the keys, if the other answer were that of the first key.
  typealias Round = (_ answer: Int64, _ progress: SearchProgress, _ keys: [Int64]) -> LocalRound

  /// About where an answer of this search goes when the other answer changes from one key to another.
  typealias Shift = (_ value: Double, _ from: Int64, _ to: Int64) -> Double

  private let progressGiven: (_ answer: Int64, _ sample: SampledCurve?) -> SearchProgress
  private let round: Round
  private let shifted: Shift
  /// By which part of what the other answer moves the shift is likely to be off.
  private let shiftError: Double
  private var progress: SearchProgress?
  /// The other answer under which `progress` was measured.
  private var answer: Int64 = 0
  private var keys: [Int64] = []
  /// What a sample has told the other search.
  var sample: SampledCurve?
  /// Terms evaluated on this rank.
  private(set) var evaluations = 0

  init(
    progressGiven: @escaping (Int64, SampledCurve?) -> SearchProgress, round: @escaping Round,
    shifted: @escaping Shift, shiftError: Double
  ) {
    self.progressGiven = progressGiven
    self.round = round
    self.shifted = shifted
    self.shiftError = shiftError
  }

  /// What travels in the next allreduce; nil when nothing is left to ask.
  mutating func localSums(for answer: Int64) -> [Int128]? {
    let progress = progress(given: answer)
    (self.progress, self.answer) = (progress, answer)
    keys = progress.keys()
    guard !keys.isEmpty else { return nil }
    let riding = round(answer, progress, keys)
    evaluations += riding.evaluations
    return riding.sums
  }

  /// - Parameter sums: over all ranks.
  mutating func arrive(with sums: [Int128]) {
    progress?.arrived(sums, at: keys)
  }

  /// The search as far as it has come, under an answer of the other one.
  func progress(given answer: Int64) -> SearchProgress {
    if let progress, self.answer == answer { return progress }
    var moved = progressGiven(answer, sample)
    guard let progress else { return moved }
    let guess = progress.guess.map { latest in
      // A sample errs alike in both answers: its price is right for the γ that is sought.
      guard progress.hasMeasured else { return latest }
      let value = shifted(OrderedKey.value(of: latest.key), self.answer, answer)
      let key = value.isFinite ? OrderedKey.key(of: value) : latest.key
      let error = max(OrderedKey.distance(key, latest.key) * shiftError, 4)
      return CrossingGuess(key: key, reach: max(4 * latest.reach, error))
    }
    let from = self.answer
    moved.begin(
      near: progress, guess: guess,
      moved: shiftError < 0x1p-10
        ? { key in
          let value = shifted(OrderedKey.value(of: key), from, answer)
          return value.isFinite ? OrderedKey.key(of: value) : key
        } : nil)
    return moved
  }
}
