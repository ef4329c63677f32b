internal import PlanFiles

/// Many units from the first to the last: a dot per unit, or per group of neighbours a range from
/// the least to the largest with a dot at the median.
struct ProfileChart {
  let bins: UnitBins
  let first: [UnitBins.Spread?]
  var second: [UnitBins.Spread?] = []
  let scale: AxisScale
  /// What the vertical axis and the dots are.
  let firstLabel: String
  var secondLabel = ""
  var reference: (value: Double, label: String)?
  /// What stands side by side.
  var subject = "unit"

  private static let height = 260.0

  func drawing(width: Double) -> Drawing {
    let left = Double(scale.ticks.map(\.label.count).max() ?? 0) * 7 + 10
    let right = width - 10
    let top = 34.0
    let bottom = top + Self.height
    var drawing = Drawing(width: width, height: bottom + 24)
    func y(_ value: Double) -> Double { bottom - scale.position(of: value) * Self.height }

    // 1. Axes: values on the left, positions of units below.
    for tick in scale.ticks {
      drawing.line(from: (left, y(tick.value)), to: (right, y(tick.value)), stroke: .grid)
      drawing.text(tick.label, x: left - 6, y: y(tick.value) + 4, anchor: .end, fill: .muted)
    }
    let count = bins.ranges.last?.upperBound ?? 0
    drawing.text("first \(subject)", x: left, y: bottom + 16, fill: .muted)
    drawing.text(
      "last of \(NumberText.grouped(count))", x: right, y: bottom + 16, anchor: .end, fill: .muted)
    drawing.circle(x: left + 5, y: 10, radius: 4, fill: .answer)
    drawing.text(firstLabel, x: left + 14, y: 14)
    if !secondLabel.isEmpty {
      let next = left + 34 + TextWidth.of(firstLabel)
      drawing.diamond(x: next, y: 10, radius: 4, stroke: .compared)
      drawing.text(secondLabel, x: next + 10, y: 14)
    }

    // 2. Ranges behind, dots before them.
    let step = (right - left) / Double(max(bins.ranges.count, 1))
    let thickness = max(min(step * 0.6, 10), 1.5)
    let radius = max(min(step * 0.42, 4), 1.8)
    func x(_ index: Int) -> Double { left + (Double(index) + 0.5) * step }
    for (index, spread) in first.enumerated() {
      guard let spread, bins.ranges[index].count > 1 else { continue }
      drawing.rectangle(
        x: x(index) - thickness / 2, y: y(spread.largest), width: thickness,
        height: max(y(spread.least) - y(spread.largest), 1), fill: .range)
    }
    for (index, spread) in second.enumerated() {
      guard let spread else { continue }
      drawing.diamond(x: x(index), y: y(spread.median), radius: radius + 0.6, stroke: .compared)
    }
    if let reference {
      let height = y(reference.value)
      drawing.line(from: (left, height), to: (right, height), stroke: .compared, dashed: true)
      drawing.text(reference.label, x: right, y: 14, anchor: .end, fill: .compared)
    }
    for (index, spread) in first.enumerated() {
      guard let spread else { continue }
      drawing.circle(x: x(index), y: y(spread.median), radius: radius, fill: .answer)
    }
    return drawing
  }
}
