/// Which of this rank's units are the first to ask for more than their lower bounds: a few when γ rises at price 0, and
/// a few when the price falls from above all.
///
/// Where a budget is next to nothing these take it all, and a sample that does not hold them says nothing.
struct ForemostUnits: Sendable {
  private var byGamma: Largest
  private var byPrice: Largest
  private var included = 0

  /// - Parameter most: units of either kind.
  init(most: Int) { (byGamma, byPrice) = (Largest(most: most), Largest(most: most)) }

  /// Their places among the units that were included, ascending.
  var places: [Int] { Set(byGamma.places + byPrice.places).sorted() }

  /// - Parameter least: s + l, what w is divided by at the unit's lower bound.
  mutating func include(_ unit: PricedCapacity, least: Double) {
    byGamma.include(included, unit.weight / (least * unit.runningCost))
    byPrice.include(included, unit.weight / (least * unit.cost))
    included += 1
  }

  /// The places of the largest of many numbers; of what is no number, none.
  private struct Largest {
    let most: Int
    /// The largest first.
    private var best: [(place: Int, value: Double)] = []

    init(most: Int) { self.most = most }

    var places: [Int] { best.map(\.place) }

    mutating func include(_ place: Int, _ value: Double) {
      guard value > 0 else { return }
      if best.count == most {
        guard value > best[most - 1].value else { return }
        best.removeLast()
      }
      best.insert((place, value), at: best.firstIndex { $0.value < value } ?? best.count)
    }
  }
}
