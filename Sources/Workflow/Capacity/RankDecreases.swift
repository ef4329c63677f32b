internal import Curvature

/// What single ranks of a unit are worth.
enum RankDecreases {
  /// ½ Σ σ_i² over the unit's modules, i = 1, 2, ...: each module gets the unit's rank, and one whose
  /// shorter side is smaller is full before.
  ///
  /// Added in the order of the modules, so the sums fall as the squares do, bit for bit.
  static func of(_ modules: [ModuleGain]) -> [Double] {
    var decreases: [Double] = []
    for module in modules {
      for (position, value) in (module.spectrum ?? []).enumerated() {
        if position == decreases.count { decreases.append(0) }
        decreases[position] += value * value / 2
      }
    }
    return decreases
  }
}
