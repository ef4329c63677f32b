/// A search that depends on the answer of another one and is made on the way to it.
///
/// The price depends on γ. As soon as γ can be guessed, the sums that a search for the price would ask
/// for next travel in the allreduces of the search for γ, as they are at the best guess of γ. So they are
/// not the true ones: they only say where to look for the price. The price itself is searched when γ is
/// known, and does not depend on them.
struct SearchPassenger {
  /// This rank's sums at the keys, if the other answer were that of the first key; over all of its units
  /// or over one of about so many, with their number last.
  typealias Sums = (_ answer: Int64, _ keys: [Int64], _ stride: Int?) -> RidingSums

  private let progressGiven: (_ answer: Int64) -> SearchProgress
  private let sums: Sums
  private var progress: SearchProgress?
  private var keys: [Int64] = []
  /// Terms evaluated on this rank.
  private(set) var evaluations = 0

  init(progressGiven: @escaping (Int64) -> SearchProgress, sums: @escaping Sums) {
    self.progressGiven = progressGiven
    self.sums = sums
  }

  /// What travels in the next allreduce; nil when nothing is left to ask.
  mutating func localSums(for answer: Int64) -> [Int128]? {
    let progress = self.progress ?? progressGiven(answer)
    self.progress = progress
    keys = progress.keys()
    guard !keys.isEmpty else { return nil }
    let riding = sums(answer, keys, progress.sampleStride)
    evaluations += riding.evaluations
    return riding.sums
  }

  /// - Parameter sums: over all ranks.
  mutating func arrive(with sums: [Int128]) {
    guard var progress else { return }
    let demands = Array(sums.dropLast())
    if progress.sampleStride != nil {
      progress.sampled = SampledCurve(
        keys: keys, demands: demands.map { Double($0) }, units: Int(sums.last ?? 0))
    } else {
      progress.measured(demands, at: keys)
    }
    self.progress = progress
  }

  /// Where the search may begin that it was made for. The guess is farther off than its reach says, as the
  /// rounds that it stems from were made at different guesses of the other answer.
  var start: SearchStart {
    let guess = progress?.guess.map { CrossingGuess(key: $0.key, reach: max(32 * $0.reach, 64)) }
    return SearchStart(sampled: progress?.sampled, guess: guess)
  }
}

/// This rank's part of what travels.
struct RidingSums {
  let sums: [Int128]
  let evaluations: Int
}

/// What a search knows before its first round.
struct SearchStart {
  var sampled: SampledCurve?
  var guess: CrossingGuess?
}
