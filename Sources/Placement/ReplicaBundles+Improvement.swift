extension ReplicaBundles {
  /// Lowers the heaviest bundle by exchanging one of its slots for a lighter one elsewhere, or by
  /// giving one away to a bundle that is smaller by one slot, until no such step helps.
  ///
  /// Giving away swaps the sizes of the two bundles, so the sizes remain the same ones in another
  /// order. Every step lowers the heavier of two bundles by more than rounding, so it ends.
  /// - Complexity: O(slots of the heaviest · slots) per step.
  mutating func improve() {
    while let heaviest = loads.indices.max(by: { loads[$0] < loads[$1] }),
      let step = bestStep(from: heaviest)
    {
      remove(step.gives, from: heaviest)
      if let takes = step.takes {
        remove(takes, from: step.bundle)
        add(takes, to: heaviest)
      } else {
        sizes.swapAt(heaviest, step.bundle)
      }
      add(step.gives, to: step.bundle)
    }
  }

  private struct Step {
    let bundle: Int
    let gives: Int
    let takes: Int?
    /// The heavier of the two afterwards.
    let load: Double
  }

  private func bestStep(from heaviest: Int) -> Step? {
    let before = loads[heaviest]
    var best = Step(bundle: -1, gives: -1, takes: nil, load: before * (1 - 1e-12))
    for bundle in loads.indices where bundle != heaviest && loads[bundle] < before {
      func consider(_ gives: Int, _ takes: Int?) {
        let moved = weights[gives] - (takes.map { weights[$0] } ?? 0)
        guard moved > 0 else { return }
        let after = max(before - moved, loads[bundle] + moved)
        if after < best.load {
          best = Step(bundle: bundle, gives: gives, takes: takes, load: after)
        }
      }
      let isLarger = sizes[heaviest] == sizes[bundle] + 1
      for gives in distinct(experts[heaviest]) {
        if isLarger, maySwapSizes(heaviest, giving: gives, to: bundle) { consider(gives, nil) }
        guard held[bundle][gives] < limit(bundle) else { continue }
        for takes in distinct(experts[bundle])
        where takes != gives && held[heaviest][takes] < limit(heaviest) {
          consider(gives, takes)
        }
      }
    }
    return best.bundle < 0 ? nil : best
  }

  /// With the sizes, what each bundle may hold of one expert is swapped too.
  private func maySwapSizes(_ heaviest: Int, giving expert: Int, to bundle: Int) -> Bool {
    guard held[bundle][expert] < limit(heaviest) else { return false }
    return limit(heaviest) == limit(bundle)
      || held[heaviest].enumerated().allSatisfy { $1 - ($0 == expert ? 1 : 0) <= limit(bundle) }
  }

  /// Of ascending experts.
  private func distinct(_ experts: [Int]) -> [Int] {
    experts.indices.filter { $0 == 0 || experts[$0 - 1] != experts[$0] }.map { experts[$0] }
  }
}
