internal import Collectives

extension CapacityUnit {
  /// - Parameter program: whose α counts for units without one.
  func validate(in program: CapacityProgram) throws(AllocationError) {
    func require(
      _ good: Bool, _ what: String, _ value: Double, _ limit: String, _ advice: String
    ) throws(AllocationError) {
      guard !good else { return }
      throw .invalid(
        what: what, unit: index, value: "\(value)", limit: limit, advice: advice)
    }
    let most = CapacityProgram.largest
    try require(
      quality >= 0 && power(quality, program.beta) <= most, "the quality", quality,
      "not negative, at most 2^200 with its exponent beta", "check the scores, or --normalize them")
    try require(
      quality == 0 || power(quality, program.beta) * most >= 1, "the quality", quality,
      "0, or at least 2^-200 with its exponent beta",
      "write 0 for a unit that is worth so little beside the others")
    try require(
      cost >= 1 / most && cost <= most, "the cost", cost, "between 2^-200 and 2^200",
      "use --fix for units that must not take part")
    try require(
      lower >= 0 && lower <= most, "the lower bound", lower, "not negative, at most 2^200",
      "see --min and --bounds")
    try require(
      upper >= lower, "the upper bound", upper, "at least the lower bound \(lower)",
      "see --max and --bounds")
    try require(
      gammaFactor >= 0 && gammaFactor <= most, "the gamma factor", gammaFactor,
      "not negative, at most 2^200", "check --program")
    if let alpha {
      try require(
        alpha >= 0 && alpha <= most, "alpha", alpha, "not negative, at most 2^200",
        "check --program")
    }
    if case .fixed(let gamma) = program.gamma {
      // What the objective adds up must not overflow; an automatic γ follows from the running costs.
      let priced = PricedCapacity(self, program: program, gamma: gamma)
      let most = min(upper, lower + program.budget / cost, .greatestFiniteMagnitude)
      let utility = program.utilityCurve.value(priced.weight, at: most)
      try require(
        abs(utility) < 0x1p1000, "the largest utility", utility, "below 1e301",
        "lower --gamma or normalize the qualities")
      return
    }
    // Without a running cost a unit asks for all it may have at price 0, whatever γ is.
    let limit = "positive when gamma is chosen automatically (or fix --gamma)"
    if let alpha {
      try require(alpha > 0, "alpha", alpha, limit, "check --program")
    } else if !(program.alpha > 0) {
      throw .invalid(
        what: "alpha", value: "\(program.alpha)", limit: limit,
        advice: "see layerbudget allocate --help")
    }
  }
}

/// What the ranks agree on before they search: bounds on numbers of the units.
struct CapacitySetup: Sendable {
  /// A price below which a + λ c < 0 for every unit, so that even units of zero quality ask for
  /// their upper bound.
  let priceBelowAllCosts: Double
  /// The largest w/((s + l) c) at γ = 1. At γ times it no unit of a logarithmic program asks for more
  /// than its lower bound; the price is likely to be somewhat lower.
  let highestWorth: Double
  /// The smallest (s + l) a/w: up to it no unit asks for more than its lower bound at price 0. γ is
  /// likely to be somewhat higher.
  let lowestGamma: Double
  /// With a fixed γ the price from which on no unit asks for more than its lower bound, about.
  let highestPrice: Double
  /// The smallest γ from which no unit of a logarithmic program asks for more at price 0; 0 where it has
  /// no bounds to speak of, or another utility.
  let lastGamma: Double
  /// The largest number of units without weight that a rank has.
  let worthless: Double
  /// The smallest and the largest a/c.
  let ratios: ClosedRange<Double>
  /// Whether these are equal, but for their last digits.
  var hasOneRatio: Bool { ratios.upperBound <= (1 + 0x1p-40) * ratios.lowerBound }
  /// Their geometric mean.
  var middleRatio: Double { ratios.lowerBound.squareRoot() * ratios.upperBound.squareRoot() }
}

/// Where searches look closely.
extension CapacitySetup {
  /// Of γ, if any unit has a quality.
  var gammaEdge: DemandEdge? {
    guard lowestGamma > 0, lowestGamma < 0x1p1000 else { return nil }
    return DemandEdge(key: OrderedKey.key(of: lowestGamma), asksAbove: true)
  }

  /// Of prices, if γ is given and the first unit asks at one above 0.
  var priceEdge: DemandEdge? {
    guard highestPrice > 0, highestPrice.isFinite else { return nil }
    return DemandEdge(key: OrderedKey.key(of: highestPrice), asksAbove: false)
  }

  /// Below price 0 each unit without weight turns from all to nothing at −a/c.
  var flight: ClosedRange<Int64> {
    OrderedKey.key(of: -ratios.upperBound)...OrderedKey.key(of: -ratios.lowerBound)
  }
}

extension CapacitySetup {
  /// What this rank's units contribute.
  struct Bounds: Sendable {
    private let curve: UtilityCurve
    private let saturation: Double
    private var ratio = 0.0
    private var leastRatio = Double.greatestFiniteMagnitude
    private var worth = 0.0
    private var price = -Double.greatestFiniteMagnitude
    private let fixedGamma: Double?
    private var gamma = Double.greatestFiniteMagnitude
    private var lastGamma = 0.0
    private var worthless = 0.0
    private var costs = (least: Double.greatestFiniteMagnitude, most: 0.0)
    /// Whether some units of this rank are far larger than others.
    var costsAreWide: Bool { costs.most > 16 * costs.least }
    private(set) var foremost = ForemostUnits()
    /// The unit that gives `lastGamma`.
    private var last: PricedCapacity?

    init(of program: CapacityProgram) {
      curve = program.utilityCurve
      saturation = 2 * program.budget
      fixedGamma = if case .fixed(let gamma) = program.gamma { gamma } else { nil }
    }

    /// - Parameter unit: at γ = 1. What is not a number, in a unit that a check refuses, is passed over.
    mutating func include(_ unit: PricedCapacity) {
      let least = curve.offset + unit.lower
      costs = (min(costs.least, unit.cost), max(costs.most, unit.cost))
      ratio = max(ratio, unit.runningCost / unit.cost)
      leastRatio = min(leastRatio, unit.runningCost / unit.cost)
      let worth = unit.weight / (least * unit.cost)
      self.worth = max(self.worth, worth)
      if let fixedGamma { price = max(price, fixedGamma * worth - unit.runningCost / unit.cost) }
      foremost.include(unit, least: least)
      guard unit.weight > 0 else {
        worthless += 1
        return
      }
      gamma = min(gamma, least * unit.runningCost / unit.weight)
      let most = curve.offset + min(unit.upper, saturation / unit.cost)
      let full = most * unit.runningCost / unit.weight
      if full > lastGamma { (lastGamma, last) = (full, unit) }
    }

    /// `lastGamma` to the double, which the division leaves open by a few.
    private var exactLastGamma: Double {
      guard case .log = curve.utility, let last, lastGamma.isFinite else { return 0 }
      func term(_ gamma: Double) -> Double {
        min(last.cost * last.unpricedCapacity(at: gamma, along: curve), saturation)
      }
      let (key, most) = (OrderedKey.key(of: lastGamma), term(.greatestFiniteMagnitude))
      let near = (max(key - 8, 1)...min(key + 8, OrderedKey.largestFinite)).first {
        term(OrderedKey.value(of: $0)) == most
      }
      return near.map(OrderedKey.value) ?? lastGamma
    }

    /// Checks every unit and agrees on what the searches start from; see `agreeOnUnits`.
    ///
    /// Collective, one allreduce; throws alike on every rank.
    func agreed(
      _ indices: [Int], search: inout PriceSearch,
      over world: borrowing some Collective & ~Copyable,
      _ check: (Int) throws(AllocationError) -> Void
    ) throws(AllocationError) -> CapacitySetup {
      search.note(allreduces: 1)
      let largest = try agreeOnUnits(
        indices,
        largest: [ratio, worth, -gamma, exactLastGamma, -leastRatio, worthless, price].map {
          $0.isNaN ? 0 : $0
        },
        over: world, check)
      return CapacitySetup(
        priceBelowAllCosts: -max(largest[0] * (1 + 0x1p-50), .leastNormalMagnitude),
        highestWorth: largest[1], lowestGamma: -largest[2], highestPrice: largest[6],
        lastGamma: largest[3], worthless: largest[5],
        ratios: min(-largest[4], largest[0])...largest[0])
    }
  }
}

extension CapacityProgram {
  /// Refuses lower bounds that cost more than the budget. Collective, two allreduces.
  ///
  /// Called once a search has found that they may: their sum, rounded as a user would see it, decides.
  func requireAffordableFloor(
    _ units: [CapacityUnit], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) {
    let floor = search.exactSums(
      [units.map { $0.cost * $0.lower }], totalTerms: totalUnits, over: world)[0]
    guard floor <= budget else {
      throw .infeasible(
        what: "the budget", value: "\(budget)",
        nearest: "the lower bounds alone cost \(floor), \(floor - budget) more",
        advice: "raise --budget to at least \(floor) or lower --min")
    }
  }
}
