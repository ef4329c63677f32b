/// What ranks propose to try, on its way through a sum: the places of each rank hold its keys, all others 0.
struct ProposedKeys {
  let ranks: Int
  /// Keys that a rank may propose beside the one at its part of the target.
  let more: Int

  /// So many that all ranks together have some sixty places. A rank alone knows the answer.
  static func besides(ranks: Int) -> Int { ranks == 1 ? 0 : max(64 / ranks, 1) - 1 }

  /// - Parameter keys: up to 1 + `more`, the first the one at the rank's part.
  func outgoing(_ keys: [Int64], rank: Int) -> [Int128] {
    var places = [Int128](repeating: 0, count: ranks * (more + 1))
    // Moved up, as 0 stands for no proposal.
    for (place, key) in keys.enumerated() {
      places[rank * (more + 1) + place] = Int128(key) + 1 << 64
    }
    return places
  }

  /// Ascending, each once: the keys at the ranks' parts, and the others.
  func arrived(_ places: ArraySlice<Int128>) -> (parts: [Int64], others: [Int64]) {
    func keys(ofParts: Bool) -> [Int64] {
      let chosen = places.enumerated().filter { place, sum in
        sum != 0 && (place % (more + 1) == 0) == ofParts
      }
      return Set(chosen.map { Int64($0.element - 1 << 64) }).sorted()
    }
    return (keys(ofParts: true), keys(ofParts: false))
  }
}
