internal import PlanFiles

/// What the plan's program asks for at prices around the found one, and where it meets the budget.
enum PriceFigure {
  static func figure(_ contents: ReportContents) -> FigureOutcome {
    switch contents.price {
    case .unknown(let reason): return .absent(reason)
    case .known(let points, let found, let axis):
      return .drawn(figure(contents.plan, points, found, axis))
    }
  }

  private static func figure(
    _ plan: PlanDocument, _ points: [ReportContents.PriceCurve.Point],
    _ found: ReportContents.PriceCurve.Point, _ axis: ReportContents.PriceCurve.Axis
  ) -> Figure {
    let demand =
      plan.program == .pruning ? "weights removed" : "\(plan.budgetUnit.name ?? "budget") asked for"
    var table = FigureTable(
      caption: "The continuous answers' \(demand) at prices around the found one; budget: "
        + NumberText.amount(plan.budget),
      columns: [axis.rawValue, demand, "of the budget"])
    for point in points {
      let share = NumberText.fixed(100 * point.demand / plan.budget, decimals: 1) + " %"
      let mark = point == found ? " (found)" : ""
      table.add([NumberText.short(point.price) + mark, NumberText.amount(point.demand), share])
    }
    let sentence =
      "At \(axis.rawValue) = \(NumberText.short(found.price)) the units ask for "
      + "\(NumberText.amount(found.demand)) of \(plan.budgetUnit.text(plan.budget)), by their "
      + "continuous answers."
    return Figure(sentence: sentence, table: table) { width in
      drawing(plan.budget, points, found, "\(axis.rawValue)", demand, width: width)
    }
  }

  private static func drawing(
    _ budget: Double, _ points: [ReportContents.PriceCurve.Point],
    _ found: ReportContents.PriceCurve.Point, _ axis: String, _ demand: String, width: Double
  ) -> Drawing {
    let prices = points.map(\.price)
    let across = AxisScale(
      linearTo: prices.max() ?? 1, from: prices.min().map { $0 > 0 ? 0 : $0 } ?? 0)
    let up = AxisScale(linearTo: max(points.map(\.demand).max() ?? 0, budget))
    let left = Double(up.ticks.map(\.label.count).max() ?? 0) * 7 + 10
    let (right, top, bottom) = (width - 14, 26.0, 266.0)
    var drawing = Drawing(width: width, height: bottom + 40)
    func place(_ price: Double, _ demand: Double) -> (x: Double, y: Double) {
      (
        left + across.position(of: price) * (right - left),
        bottom - up.position(of: demand) * (bottom - top)
      )
    }
    for tick in up.ticks {
      let y = place(0, tick.value).y
      drawing.line(from: (left, y), to: (right, y), stroke: .grid)
      drawing.text(tick.label, x: left - 6, y: y + 4, anchor: .end, fill: .muted)
    }
    var free = -Double.infinity
    for tick in across.ticks {
      let x = place(tick.value, 0).x
      let half = TextWidth.of(tick.label) / 2
      guard x - half > free, x + half < width else { continue }
      drawing.text(tick.label, x: x, y: bottom + 16, anchor: .middle, fill: .muted)
      free = x + half + 6
    }
    drawing.text(demand, x: 2, y: 12, fill: .muted)
    drawing.text(axis, x: (left + right) / 2, y: bottom + 34, anchor: .middle, fill: .muted)
    let level = place(0, budget).y
    drawing.line(from: (left, level), to: (right, level), stroke: .compared, dashed: true)
    drawing.text(
      "budget \(NumberText.amount(budget))", x: right, y: level - 6, anchor: .end, fill: .compared)
    drawing.curve(points.map { place($0.price, $0.demand) }, stroke: .answer)
    let mark = place(found.price, found.demand)
    drawing.line(from: (mark.x, mark.y), to: (mark.x, bottom), stroke: .answer)
    drawing.circle(x: mark.x, y: mark.y, radius: 5, fill: .answer)
    let isLeft = mark.x < (left + right) / 2
    drawing.text(
      "found \(NumberText.short(found.price))", x: mark.x + (isLeft ? 8 : -8), y: bottom - 8,
      anchor: isLeft ? .start : .end, fill: .answer)
    return drawing
  }
}
