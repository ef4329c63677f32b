internal import PlanFiles

/// The elements of one SVG picture; colours are classes, so that they follow the reader's mode.
struct Drawing {
  let width: Double
  private(set) var height: Double
  private(set) var elements = ""

  enum Anchor: String {
    case start, middle, end
  }

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, fill: Palette, title: String? = nil
  ) {
    elements +=
      "<rect class=\"f-\(fill.rawValue)\" x=\"\(number(x))\" y=\"\(number(y))\" "
      + "width=\"\(number(max(width, 0)))\" height=\"\(number(max(height, 0)))\""
    close("rect", title)
  }

  mutating func circle(x: Double, y: Double, radius: Double, fill: Palette, title: String? = nil) {
    elements +=
      "<circle class=\"f-\(fill.rawValue)\" cx=\"\(number(x))\" cy=\"\(number(y))\" "
      + "r=\"\(number(radius))\""
    close("circle", title)
  }

  /// A diamond with an open middle: a second series that grey print can tell from circles.
  mutating func diamond(x: Double, y: Double, radius r: Double, stroke: Palette) {
    elements +=
      "<path class=\"open s-\(stroke.rawValue)\" d=\"M\(number(x)) \(number(y - r))"
      + "L\(number(x + r)) \(number(y))L\(number(x)) \(number(y + r))L\(number(x - r)) \(number(y))Z\"/>"
  }

  mutating func line(
    from start: (x: Double, y: Double), to end: (x: Double, y: Double), stroke: Palette,
    dashed: Bool = false
  ) {
    elements +=
      "<line class=\"s-\(stroke.rawValue)\(dashed ? " dashed" : "")\" x1=\"\(number(start.x))\" "
      + "y1=\"\(number(start.y))\" x2=\"\(number(end.x))\" y2=\"\(number(end.y))\"/>"
  }

  mutating func curve(_ points: [(x: Double, y: Double)], stroke: Palette) {
    let list = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    elements += "<polyline class=\"curve s-\(stroke.rawValue)\" points=\"\(list)\"/>"
  }

  mutating func text(
    _ text: String, x: Double, y: Double, anchor: Anchor = .start, fill: Palette = .ink,
    title: String? = nil
  ) {
    elements +=
      "<text class=\"f-\(fill.rawValue)\" x=\"\(number(x))\" y=\"\(number(y))\" "
      + "text-anchor=\"\(anchor.rawValue)\">"
    if let title, title != text { elements += "<title>\(markup(title))</title>" }
    elements += markup(text) + "</text>"
  }

  private mutating func close(_ element: String, _ title: String?) {
    elements += title.map { "><title>\(markup($0))</title></\(element)>" } ?? "/>"
  }

  private func number(_ value: Double) -> String { NumberText.fixed(value, decimals: 1) }
}
