/// One chart of the report with the table of what it draws.
struct Figure {
  /// What to see in it, with numbers.
  let sentence: String
  let table: FigureTable
  /// The picture in a width; the same values in any.
  let drawing: (_ width: Double) -> Drawing

  /// As an element of a page; a screen reader says title and sentence instead of it.
  func element(_ title: String, width: Double, class style: String) -> String {
    let drawing = drawing(width)
    let (w, h) = (Int(drawing.width), Int(drawing.height.rounded(.up)))
    return "<svg class=\"\(style)\" viewBox=\"0 0 \(w) \(h)\" width=\"\(w)\" height=\"\(h)\" "
      + "role=\"img\" aria-label=\"\(markup("\(title): \(sentence)"))\">\(drawing.elements)</svg>"
  }

  /// As a file of its own, in the colours of paper.
  func document(_ title: String, width: Double) -> String {
    let drawing = drawing(width)
    let (w, h) = (Int(drawing.width), Int(drawing.height.rounded(.up)))
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(w) \(h)" width="\(w)" height="\(h)" \
      role="img" aria-label="\(markup("\(title): \(sentence)"))">
      <style>\(StyleSheet.chart { $0.light })</style>
      <rect class="f-surface" x="0" y="0" width="\(w)" height="\(h)"/>
      \(drawing.elements)
      </svg>

      """
  }
}

/// A chart, or in one sentence why there is none.
enum FigureOutcome {
  case drawn(Figure)
  case absent(String)
}
