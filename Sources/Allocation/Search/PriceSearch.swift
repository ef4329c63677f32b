public import Collectives

/// The collective search for the smallest key at which a demand no longer exceeds a target.
///
/// The demand is an exact integer sum over all units of all ranks and does not rise with the key, so
/// the answer is one well-defined integer: every `Method`, every number of ranks and every slicing
/// ends at the same bits. Methods differ only in how many trial keys they send per allreduce and
/// where they place them.
public struct PriceSearch: Sendable {
  public enum Method: String, CaseIterable, Sendable {
    /// One trial per allreduce: at most 64 allreduces.
    case bisection
    /// 63 evenly spread trials per allreduce: at most ⌈64/6⌉ = 11 allreduces.
    case multisection
    /// 3 to some 300 trials per allreduce, by what they cost, around guesses and where ranks propose; late up to 1023,
    /// where few keys are left: mostly 3 to 6 allreduces. A measurement, not a bound: docs/performance.md.
    case accelerated
  }

  /// What a search was for.
  public enum Purpose: String, Sendable {
    /// γ at which the unpriced demand is 1.25 B.
    case gamma
    /// λ of the budget, or μ of the sparsity.
    case price
    /// The price of whole slots.
    case wholeNumbers = "whole-numbers"
    /// The common level of units of zero quality.
    case level
    /// Who is served when candidates tie.
    case ties
    /// Where the largest values begin.
    case ranking
  }

  /// One finished search. Each round is one allreduce; a price that was found on the way to γ took none.
  public struct Stage: Sendable, Equatable {
    public let purpose: Purpose
    public let rounds: Int
    public let trials: Int
    /// ⌊log₂⌋ of the keys left in the bracket after each round: 0 where the answer is found.
    public let bracketBits: [Int]
  }

  public let method: Method
  /// Allreduces made so far, by searches and by exact sums alike.
  public private(set) var allreduces = 0
  /// Terms that searches evaluated on this rank: one per unit and trial key.
  public private(set) var evaluations = 0
  /// The searches made so far, in order.
  public private(set) var stages: [Stage] = []

  public init(method: Method) {
    self.method = method
  }

  /// Counts allreduces that searches made together on behalf of this one.
  public mutating func note(allreduces: Int) { self.allreduces += allreduces }

  /// Counts terms that were evaluated on behalf of this search.
  mutating func note(evaluations: Int) { self.evaluations += evaluations }

  /// Where the demand first meets the target.
  struct Crossing: Equatable {
    /// The smallest key whose demand is at most the target.
    let key: Int64
    /// The demand there, summed over all ranks.
    let demand: Int128
  }

  /// Finds the smallest key in `bracket.lowerBound`+1 ... `bracket.upperBound` whose demand is at
  /// most `target`; if it is above that even at the upper bound, the smallest key at which it is as low
  /// as there.
  ///
  /// With an `outlook` keys are those of doubles, the first round looks closest where the answer is
  /// likely, and the number of trials follows from the number of units: of many units the first round
  /// asks a sample.
  /// `begun` is the same search as far as it came while it rode in another one, and `passenger` one that
  /// rides in this.
  /// Collective: every rank calls with the same bracket, target and outlook. The result is the same on
  /// all.
  /// - Complexity: per round one allreduce of the trial sums and one term per active unit and trial.
  mutating func firstKey<Demand: SearchedDemand, Riding: RidingDemand>(
    for purpose: Purpose, narrowing demand: inout Demand, nearest target: Int128,
    in bracket: ClosedRange<Int64>, outlook: SearchOutlook? = nil,
    begun: SearchProgress? = nil,
    passenger: inout SearchPassenger<Riding>?,
    over world: borrowing some Collective & ~Copyable
  ) -> Crossing {
    var progress =
      begun
      ?? SearchProgress(
        method: method, target: target, bracket: bracket, outlook: outlook, ranks: world.size)
    // What has begun elsewhere has left no units out yet.
    if begun != nil, progress.isBracketed {
      _ = demand.localSums(at: [progress.lower.key, progress.upper.key])
      demand.narrow(to: progress.lower.key...progress.upper.key)
    }
    var rounds = 0
    var trials = 0
    var bracketBits: [Int] = []
    while true {
      // 1. Choose trial keys strictly inside the bracket, or its top if that is all there is.
      let keys = progress.keys()
      if keys.isEmpty { break }
      allreduces += 1
      rounds += 1
      trials += keys.count

      // 2. Sum the demand over the ranks: the only communication.
      let isSample = progress.sampleStride != nil
      let own = progress.localRound(at: keys, of: &demand, rank: world.rank)
      evaluations += own.evaluations
      var sums = own.sums
      if passenger != nil, let seat = progress.seat, let riding = passenger?.localSums(for: seat) {
        sums += riding
      }
      world.sum(&sums)

      // 3. Keep the part of the bracket in which the demand first meets the target.
      progress.arrived(Array(sums[..<own.sums.count]), at: keys)
      if sums.count > own.sums.count {
        passenger?.arrive(
          with: Array(sums[own.sums.count...]),
          leaving: progress.upper.demand == nil ? nil : progress.lower.key...progress.upper.key)
      }
      passenger?.sample = progress.sampled
      bracketBits.append(progress.bracketBits)

      // 4. Units whose demand cannot change any more leave the search.
      if !isSample { demand.narrow(to: progress.lower.key...progress.upper.key) }
    }
    stages.append(
      Stage(purpose: purpose, rounds: rounds, trials: trials, bracketBits: bracketBits))
    evaluations += demand.evaluations
    guard let found = progress.upper.demand else {
      preconditionFailure("the bracket's top was measured")
    }
    return Crossing(key: progress.upper.key, demand: found)
  }

  /// The same without a passenger. Collective.
  mutating func firstKey<Demand: SearchedDemand>(
    for purpose: Purpose, of demand: consuming Demand, nearest target: Int128,
    in bracket: ClosedRange<Int64>, outlook: SearchOutlook? = nil,
    over world: borrowing some Collective & ~Copyable
  ) -> Crossing {
    var nobody: SearchPassenger<NoRider>?
    var narrowed = demand
    return firstKey(
      for: purpose, narrowing: &narrowed, nearest: target, in: bracket, outlook: outlook,
      passenger: &nobody, over: world)
  }

  /// The same for a caller who knows that the demand meets the target at the upper bound. Collective.
  mutating func firstKey<Demand: SearchedDemand>(
    for purpose: Purpose, of demand: consuming Demand, meeting target: Int128,
    in bracket: ClosedRange<Int64>, outlook: SearchOutlook? = nil,
    over world: borrowing some Collective & ~Copyable
  ) -> Crossing {
    let crossing = firstKey(
      for: purpose, of: demand, nearest: target, in: bracket, outlook: outlook, over: world)
    precondition(crossing.demand <= target, "target out of reach")
    return crossing
  }

  /// The sum of `terms` over all ranks for several quantities at once, each exact to its own scale.
  ///
  /// `terms[q]` holds this rank's terms of quantity q. The scale of each quantity comes from the
  /// agreed largest magnitude; the result is rounded once to Float64.
  /// Collective. - Complexity: two allreduces, whatever the number of quantities.
  public mutating func exactSums(
    _ terms: [[Double]], totalTerms: Int, over world: borrowing some Collective & ~Copyable
  ) -> [Double] {
    var largest = terms.map { $0.reduce(0) { max($0, abs($1)) } }
    world.maximum(&largest)
    let scales = largest.map { FixedPointScale(largest: $0, terms: totalTerms) }
    var sums = zip(terms, scales).map { terms, scale in
      terms.reduce(Int128(0)) { $0 + scale.fixed($1) }
    }
    world.sum(&sums)
    allreduces += 2
    return zip(sums, scales).map { $1.value($0) }
  }

  /// Element-wise maximum over all ranks. Collective, one allreduce.
  mutating func maximum(
    _ values: [Double], over world: borrowing some Collective & ~Copyable
  ) -> [Double] {
    var values = values
    world.maximum(&values)
    allreduces += 1
    return values
  }

  /// Sums of integers over all ranks. Collective, one allreduce.
  mutating func sum(
    _ values: [Int128], over world: borrowing some Collective & ~Copyable
  ) -> [Int128] {
    var values = values
    world.sum(&values)
    allreduces += 1
    return values
  }
}
