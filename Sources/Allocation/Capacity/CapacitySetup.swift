internal import Collectives

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
    /// Which of them a sample must hold.
    private(set) var foremost: ForemostUnits
    /// The unit that gives `lastGamma`.
    private var last: PricedCapacity?

    init(of program: CapacityProgram) {
      curve = program.utilityCurve
      saturation = 2 * program.budget
      // What units ask for by a power lies much wider apart than by the logarithm, and its samples are not by weight.
      foremost = ForemostUnits(most: program.utility == .log ? 8 : 256)
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
