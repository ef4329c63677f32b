/// A row per unit, rank or stage with its name on the left and its value on the right: bars on an
/// axis from 0, dots on one of powers of ten.
struct RowChart {
  struct Row {
    let label: String
    let name: String
    let value: Double
    /// What stands at the right end.
    let text: String
    /// A second series, drawn as a diamond.
    var second: Double?
    /// Ends of a whisker.
    var range: (low: Double, high: Double)?
  }

  let rows: [Row]
  let scale: AxisScale
  /// What the axis shows, in parts that may stand on lines of their own.
  let axis: [String]
  /// One value for all rows: a line across them.
  var reference: (value: Double, label: String)?
  /// What circles and diamonds are, where there are both.
  var legend: (first: String, second: String)?

  private static let rowHeight = 20.0

  func drawing(width: Double) -> Drawing {
    let left = min((rows.map { TextWidth.of($0.label) }.max() ?? 0) + 10, width * 0.36)
    let right = (rows.map { TextWidth.of($0.text) }.max() ?? 0) + 14
    let lines = AxisText.lines(axis, width: width)
    let span = max(width - left - right, 60)
    let top = reference == nil && legend == nil ? 6.0 : 26.0
    let bottom = top + Double(rows.count) * Self.rowHeight
    var drawing = Drawing(
      width: width, height: bottom + 24 + Double(lines.count) * AxisText.lineHeight)
    func x(_ value: Double) -> Double { left + scale.position(of: value) * span }

    // 1. The axis, behind everything. Labels that would touch are left out.
    var free = -Double.infinity
    for tick in scale.ticks {
      let place = x(tick.value)
      drawing.line(from: (place, top), to: (place, bottom), stroke: .grid)
      let half = TextWidth.of(tick.label) / 2
      guard place - half > free, place + half < width else { continue }
      drawing.text(tick.label, x: place, y: bottom + 15, anchor: .middle, fill: .muted)
      free = place + half + 6
    }
    for (index, line) in lines.enumerated() {
      // Under the axis where it fits there, else from the left edge.
      let start = min(left, max(width - TextWidth.of(line), 2))
      drawing.text(
        line, x: start, y: bottom + 33 + Double(index) * AxisText.lineHeight, fill: .muted)
    }
    drawLegend(&drawing, left: left)

    // 2. The rows.
    for (index, row) in rows.enumerated() {
      let y = top + (Double(index) + 0.5) * Self.rowHeight
      let label = TextWidth.fitted(row.label, into: left - 10)
      drawing.text(label, x: left - 8, y: y + 4, anchor: .end, title: row.name)
      let title = "\(row.name): \(row.text)"
      if !scale.isLogarithmic {
        let zero = x(0)
        let end = x(row.value)
        drawing.rectangle(
          x: min(zero, end), y: y - 6, width: max(abs(end - zero), 1), height: 12, fill: .answer,
          title: title)
      }
      if let range = row.range {
        drawing.line(from: (x(range.low), y), to: (x(range.high), y), stroke: .ink)
        for end in [range.low, range.high] {
          drawing.line(from: (x(end), y - 3), to: (x(end), y + 3), stroke: .ink)
        }
      }
      if let second = row.second {
        drawing.diamond(x: x(second), y: y, radius: 5, stroke: .compared)
      }
      if scale.isLogarithmic {
        drawing.circle(x: x(row.value), y: y, radius: 4.5, fill: .answer, title: title)
      }
      drawing.text(row.text, x: width - 2, y: y + 4, anchor: .end)
    }

    // 3. What all rows are compared with.
    if let reference {
      let place = x(reference.value)
      drawing.line(from: (place, top - 4), to: (place, bottom), stroke: .compared, dashed: true)
      let half = TextWidth.of(reference.label) / 2
      let middle = min(max(place, half + 2), width - half - 2)
      drawing.text(reference.label, x: middle, y: top - 10, anchor: .middle, fill: .compared)
    }
    return drawing
  }

  private func drawLegend(_ drawing: inout Drawing, left: Double) {
    guard let legend else { return }
    drawing.circle(x: left + 5, y: 10, radius: 4.5, fill: .answer)
    drawing.text(legend.first, x: left + 14, y: 14)
    let next = left + 34 + TextWidth.of(legend.first)
    drawing.diamond(x: next, y: 10, radius: 5, stroke: .compared)
    drawing.text(legend.second, x: next + 10, y: 14)
  }
}
