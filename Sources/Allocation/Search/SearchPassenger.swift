/// A search that depends on the answer of another one and is made on the way to it.
///
/// The price depends on γ. As soon as γ can be guessed, what a search for the price would ask for next
/// travels in the allreduces of the search for γ, under the best guess of γ. If γ turns out to be that
/// guess, to the bit, the sums are true ones and the search for the price goes on where it is; if not, they
/// say where to look, and the bounds that they prove stay.
struct SearchPassenger<Riding: RidingDemand> {
  /// The search before anything is measured, under an answer of the other one.
  typealias Start = (_ answer: Int64, _ sample: SampledCurve?) -> SearchProgress

  private let progressGiven: Start
  /// How the own answer goes along when the other one changes.
  private let shift: AnswerShift
  /// The units that are left.
  private(set) var riding: Riding
  private let rank: Int
  private var progress: SearchProgress?
  /// The other answer under which `progress` was measured.
  private var answer: Int64 = 0
  private var keys: [Int64] = []
  /// The answers that the other search has left: above the first, at most the last.
  private var answers: ClosedRange<Int64>
  private var hasBounds = false
  private var bracket = CarriedBracket()
  /// ⌊log₂⌋ of how many keys were left of both answers when units left last, added up; and how often they have.
  private var narrowedBits = Int.max
  private var passes = 0
  /// About how many units of all ranks are left, once known.
  private var unitsLeft: Int?
  private var slope: AnswerSlope?
  /// What is asked beside the trials: first for the slope, at the trial of that index under another answer,
  private var slopeAsked: (index: Int, answer: Int64)?
  /// then for bounds.
  private var boundsAsked: [CarriedBracket.Place] = []
  /// What a sample has told the other search.
  var sample: SampledCurve?
  /// Terms evaluated on this rank.
  private(set) var evaluations = 0

  init(
    _ riding: Riding, rank: Int, answers: ClosedRange<Int64>, shift: AnswerShift,
    progressGiven: @escaping Start
  ) {
    self.riding = riding
    self.rank = rank
    self.answers = answers
    self.shift = shift
    self.progressGiven = progressGiven
  }

  /// What travels in the next allreduce; nil when nothing is left to ask.
  mutating func localSums(for answer: Int64) -> [Int128]? {
    let progress = progress(given: answer)
    (self.progress, self.answer) = (progress, answer)
    keys = progress.keys()
    (slopeAsked, boundsAsked) = (nil, [])
    guard !keys.isEmpty else { return nil }
    var demand = riding.demand(given: answer)
    let round = progress.localRound(at: keys, of: &demand, rank: rank)
    evaluations += round.evaluations + demand.evaluations
    let sums = round.sums
    guard progress.sampleStride == nil, let guess = progress.guess else { return sums }

    // Beside the trials: the same demand at the guess under another answer, and bounds.
    var beside: [CarriedBracket.Place] = []
    if !shift.isExact, let index = keys.firstIndex(of: guess.key),
      let other = AnswerSlope.neighbour(of: answer, in: answers)
    {
      slopeAsked = (index, other)
      beside.append(CarriedBracket.Place(answer: other, key: guess.key))
    }
    if passes == 0, hasBounds, progress.rounds >= 2 { boundsAsked = bounds(around: guess) }
    beside += boundsAsked
    return beside.map { place in
      var demand = riding.demand(given: place.answer)
      defer { evaluations += demand.evaluations }
      return demand.localSums(at: [place.key])[0]
    } + sums
  }

  /// Where a bound that is missing can be proved, most likely: under the least answer left a bound from below, under
  /// the largest one from above.
  private func bounds(around guess: CrossingGuess) -> [CarriedBracket.Place] {
    let margin = Int64(min(2 * guess.reach, 0x1p54))
    var places: [CarriedBracket.Place] = []
    if bracket.lower == nil {
      let least = answers.lowerBound + 1
      let key = shift.key(guess.key, from: answer, to: least).subtractingReportingOverflow(margin)
      if !key.overflow { places.append(.init(answer: least, key: key.partialValue)) }
    }
    if bracket.upper == nil {
      let most = answers.upperBound
      let key = shift.key(guess.key, from: answer, to: most).addingReportingOverflow(margin)
      if !key.overflow { places.append(.init(answer: most, key: key.partialValue)) }
    }
    let all = -OrderedKey.largestFinite...OrderedKey.largestFinite
    return places.filter { all.contains($0.key) }
  }

  /// - Parameters:
  ///   - sums: over all ranks.
  ///   - left: the answers that the other search has left after the same allreduce, once it knows that the last
  ///     of them meets its target: before, it may yet ask for the lowest demand instead, anywhere.
  mutating func arrive(with sums: [Int128], leaving left: ClosedRange<Int64>?) {
    answers = left ?? answers
    hasBounds = hasBounds || left != nil
    guard var progress else { return }
    let isSample = progress.sampleStride != nil
    let beside = sums.prefix(boundsAsked.count + (slopeAsked == nil ? 0 : 1))
    let own = Array(sums.dropFirst(beside.count))
    progress.arrived(own, at: keys)
    self.progress = progress
    // What is as low as it gets says nothing about the target.
    guard !isSample, !progress.asksForLowest else { return }
    if let (index, other) = slopeAsked {
      slope = AnswerSlope(from: answer, own[index], to: other, beside[0])
    }
    let measured = zip(keys, own).map { MeasuredPoint(key: $0, demand: $1) }
    bracket.measured(measured, target: progress.target, under: answer)
    for (place, sum) in zip(boundsAsked, beside.suffix(boundsAsked.count)) {
      bracket.measured(sum, at: place, target: progress.target)
    }
    bracket.narrow(to: answers)
    removeUnits(moving: Int(own[keys.count]), of: Int(own[keys.count + 1]))
  }

  /// Lets units leave that ask for the same wherever both answers may be, if that seems worth a pass: as the last
  /// trials have it, `moving` of the `active` ones do not.
  private mutating func removeUnits(moving: Int, of active: Int) {
    unitsLeft = active
    guard let lower = bracket.lower, let upper = bracket.upper, upper > lower else { return }
    let bits = SearchProgress.bits(of: lower...upper) + SearchProgress.bits(of: answers)
    guard passes < 3, bits <= narrowedBits - 4, moving <= active / 4 * 3 else { return }
    (narrowedBits, passes) = (bits, passes + 1)
    unitsLeft = max(moving, active / 16)
    evaluations += riding.narrow(to: answers, lower...upper)
  }

  /// The search as far as it has come, under an answer of the other one that is left.
  func progress(given answer: Int64) -> SearchProgress {
    if var progress, self.answer == answer {
      progress.narrow(to: bracket)
      progress.activeUnits = min(progress.activeUnits, unitsLeft ?? .max)
      return progress
    }
    var moved = progressGiven(answer, sample)
    guard let progress else { return moved }
    moved.begin(near: progress, moved: moves(progress, to: answer))
    moved.narrow(to: bracket)
    return moved
  }
}

extension SearchPassenger {
  /// What a search under one answer says about the one under another.
  private func moves(_ progress: SearchProgress, to other: Int64) -> SearchProgress.Moved? {
    guard let latest = progress.guess else { return nil }
    // A sample errs alike in both answers: its price is right for the γ that is sought.
    guard progress.hasMeasured else {
      return SearchProgress.Moved(origin: latest, guess: latest)
    }
    let key = shift.key(latest.key, from: answer, to: other)
    let grain = 4 * shift.grain(OrderedKey.value(of: key))
    let error = max(OrderedKey.distance(key, latest.key) * shift.error, grain)
    var moved = SearchProgress.Moved(
      origin: latest, guess: CrossingGuess(key: key, reach: max(4 * latest.reach, error)))
    moved.grain = grain
    moved.units = unitsLeft
    if shift.isExact {
      moved.error = shift.error
      moved.points = nearest(progress.points + progress.hints, to: progress.target).map {
        MeasuredPoint(key: shift.key($0.key, from: answer, to: other), demand: $0.demand)
      }
    } else if let slope {
      // What was measured last is known best: earlier points only where it says nothing.
      let (first, last) = (progress.points[0].key, progress.points[progress.points.count - 1].key)
      let around = progress.hints.filter { $0.key < first || $0.key > last }
      let change = abs(OrderedKey.value(of: other) / OrderedKey.value(of: answer) - 1)
      moved.error = min(4 * change, shift.error)
      moved.points = nearest(progress.points + around, to: progress.target).map {
        slope.moved($0, from: answer, to: other)
      }
    }
    return moved
  }

  /// Some on both sides of where the demand meets the target, ascending by key.
  private func nearest(_ points: [MeasuredPoint], to target: Int128) -> [MeasuredPoint] {
    let points = points.sorted { $0.key < $1.key }
    let first = points.firstIndex { $0.demand <= target } ?? points.endIndex
    return Array(points[max(first - 4, 0)..<min(first + 4, points.count)])
  }
}
