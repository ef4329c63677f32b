internal import Allocation
internal import HTMLReport
internal import PlanFiles

extension ReportContents.PriceCurve {
  /// The demand of the plan's program at prices around the found one, where it has a closed form.
  ///
  /// Left out, with a sentence, where the plan lacks what its program needs, and where the program
  /// does not ask at the plan's price for what the plan spends: a picture that misses its own mark
  /// would be worse than none.
  init(of plan: PlanDocument) {
    do throws(AllocationError) {
      switch plan.program {
      case .capacity: self = try Self.capacity(plan)
      case .pruning: self = try Self.pruning(plan)
      }
    } catch {
      self = .unknown("The price curve is left out: \(error).")
    }
  }

  private static let steps = 24

  private static func capacity(_ plan: PlanDocument) throws(AllocationError) -> Self {
    let options = PlanOptions(plan)
    guard let (closed, units) = options.capacityProgram(), let gamma = options.number("gamma")
    else {
      return .unknown(missing("the spectra of its modules"))
    }
    var program = closed
    program.gamma = .fixed(gamma)
    // Below the found price the demand rises steeply, so the steps are even in the ratio of prices;
    // a price of 0 or below is looked at evenly.
    let found = plan.price
    var prices: [Double]
    if found > 0 {
      prices = ratios.map { found * $0 }
    } else {
      let reach = found < 0 ? -found : options.number("alpha").flatMap { $0 > 0 ? $0 : nil } ?? 1
      prices = (0...2 * steps).map { found + reach * (Double($0) / Double(steps) - 0.25) }
        .filter { found < 0 || $0 >= 0 }
    }
    if !prices.contains(found) { prices.append(found) }
    prices.sort()
    return curve(
      plan, prices, try program.demands(of: units, at: prices), at: found, axis: .price)
  }

  private static func pruning(_ plan: PlanDocument) throws(AllocationError) -> Self {
    let options = PlanOptions(plan)
    guard let (program, units) = options.pruningProgram() else {
      return .unknown(missing("the cost curves of its units"))
    }
    guard let found = options.number("mu"), found > 0 else {
      return .unknown("The price curve is left out: the plan names no positive μ = b − λ.")
    }
    let drives = ratios.map { found * $0 }
    return curve(
      plan, drives, try program.demands(of: units, at: drives), at: found, axis: .drive)
  }

  /// 1/4 … 4, with 1 itself: powers of 2^(1/12).
  private static var ratios: [Double] {
    var ratio = 1.0
    var above: [Double] = []
    for _ in 0..<steps {
      ratio *= 1.0594630943592953
      above.append(ratio)
    }
    return above.reversed().map { 1 / $0 } + [1] + above
  }

  private static func missing(_ what: String) -> String {
    "The price curve is left out: this plan's program has no closed form, and the plan does not hold "
      + "\(what)."
  }

  private static func curve(
    _ plan: PlanDocument, _ prices: [Double], _ demands: [Double], at found: Double, axis: Axis
  ) -> Self {
    guard let position = prices.firstIndex(of: found) else {
      return .unknown(
        "The price curve is left out: the plan's price is not a number to compare with.")
    }
    let asked = demands[position]
    guard abs(asked - plan.spent) <= 1e-6 * max(abs(plan.budget), 1) else {
      return .unknown(
        "The price curve is left out: at the plan's price its program asks for \(NumberText.short(asked)) "
          + "where the plan spends \(NumberText.short(plan.spent)), as when units of zero quality share what "
          + "is left.")
    }
    // Far beyond the budget the curve would press what matters into a corner.
    let points = zip(prices, demands).filter { $0.1.isFinite && $0.1 <= 3 * plan.budget }
      .map { Point(price: $0.0, demand: $0.1) }
    return .known(points: points, found: Point(price: found, demand: asked), axis: axis)
  }
}
