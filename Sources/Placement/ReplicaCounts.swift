/// How many slots each logical expert of a layer gets: one, and more for those with much load.
///
/// Every further slot goes to the expert with the largest load per slot, as in DeepSeek's EPLB, which
/// makes the largest load per slot as small as possible. Ties go to the expert with fewer slots, then
/// to the first.
///
/// Unlike there, the counts can always be laid out without two slots of one expert on one device, as
/// long as no device has more slots of the layer than there are experts (where it has, no expert gets
/// more than ⌈slots/experts⌉ of them there). With x_d slots on device d and m_d = max(1, ⌈x_d/E⌉), a
/// layout exists exactly if for every k
///
///     the k largest counts together ≤ f(k) = Σ_d min(x_d, m_d k)
///
/// (Gale and Ryser; max-flow min-cut with capacities m_d). f is concave, so the counts that obey it are
/// the bases of a polymatroid, on which taking the best step that is still allowed is optimal, and an
/// expert that may take no more never may again.
enum ReplicaCounts {
  /// - Parameters:
  ///   - loads: of E experts, finite and not negative.
  ///   - slotsOfDevice: x_d; their sum is at least E.
  /// - Returns: E counts, each at least 1, with the sum of `slotsOfDevice`.
  /// - Complexity: O((slots − E) · E).
  static func of(_ loads: [Double], slotsOfDevice: [Int]) -> [Int] {
    let experts = loads.count
    let slots = slotsOfDevice.reduce(0, +)
    precondition(experts > 0 && slots >= experts, "every expert needs a slot")
    var counts = [Int](repeating: 1, count: experts)
    // Counts, the largest first, and what f(k) leaves above the k largest.
    var sorted = counts
    var slack = (1...experts).map { k in
      slotsOfDevice.reduce(0) { $0 + min($1, copiesPerDevice($1, experts: experts) * k) } - k
    }
    var mayGrow = [Bool](repeating: true, count: experts)
    for _ in experts..<slots {
      while true {
        guard let expert = neediest(loads, counts, mayGrow) else {
          preconditionFailure("f(E) is the number of slots, so some expert may take one more")
        }
        // The first of its equals grows, so that the order stays; from there on sums grow by 1.
        guard let place = sorted.firstIndex(of: counts[expert]) else {
          preconditionFailure("every count is among the sorted ones")
        }
        if slack[place...].allSatisfy({ $0 > 0 }) {
          counts[expert] += 1
          sorted[place] += 1
          for k in place..<experts { slack[k] -= 1 }
          break
        }
        mayGrow[expert] = false
      }
    }
    return counts
  }

  /// m: how many slots of one expert a device with that many slots may have to hold.
  static func copiesPerDevice(_ slots: Int, experts: Int) -> Int {
    max(1, (slots + experts - 1) / experts)
  }

  private static func neediest(
    _ loads: [Double], _ counts: [Int], _ mayGrow: [Bool]
  ) -> Int? {
    var best: Int?
    for expert in loads.indices where mayGrow[expert] {
      guard let chosen = best else {
        best = expert
        continue
      }
      let need = loads[expert] / Double(counts[expert])
      let bestNeed = loads[chosen] / Double(counts[chosen])
      if need > bestNeed || need == bestNeed && counts[expert] < counts[chosen] { best = expert }
    }
    return best
  }
}
