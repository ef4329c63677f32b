internal import PlanFiles

/// Slots of every unit on every node, as a grid; neighbours share a cell where there are many.
enum PlacementFigure {
  private static let mostUnits = 40
  private static let mostNodes = 16

  static func figure(_ contents: ReportContents) -> FigureOutcome {
    guard let placement = contents.placement else {
      let kind = PlanAnswers(contents.plan).unit
      guard kind == "slots" || kind == "capacity" else {
        return .absent("Slots have places, and this plan has none.")
      }
      return .absent(
        "No placement is given; --placement FILE of layerbudget place shows where slots lie.")
    }
    guard !placement.nodes.isEmpty, !placement.units.isEmpty else {
      return .absent("The placement is empty.")
    }
    let rows = groups(placement.units.count, most: mostUnits)
    let columns = groups(placement.nodes.count, most: mostNodes)
    let columnSize = columns[0].count
    let counts = rows.map { range in
      var counts = [Int](repeating: 0, count: columns.count)
      for unit in placement.units[range] {
        for node in unit.slots where placement.nodes.indices.contains(node) {
          counts[node / columnSize] += 1
        }
      }
      return counts
    }
    let labels = UnitLabels(placement.units.map(\.name))
    func name(_ names: [String], _ range: Range<Int>) -> String {
      range.count == 1
        ? names[range.lowerBound] : "\(names[range.lowerBound]) … \(names[range.upperBound - 1])"
    }
    let rowNames = rows.map { name(placement.units.map(\.name), $0) }
    let columnNames = columns.map { name(placement.nodes.map(\.name), $0) }
    var table = FigureTable(
      caption: "Slots of units on nodes", columns: ["unit"] + columnNames)
    for (name, counts) in zip(rowNames, counts) { table.add([name] + counts.map { "\($0)" }) }
    let shares = placement.nodes.map { node in
      node.memoryBytes > 0 ? Double(node.usedBytes) / Double(node.memoryBytes) : 0
    }
    let slots = placement.units.reduce(0) { $0 + $1.slots.count }
    let sentence =
      "\(NumberText.grouped(slots)) slots of \(placement.units.count) units on \(placement.nodes.count) "
      + "node\(placement.nodes.count == 1 ? "" : "s"); the fullest node uses "
      + "\(NumberText.fixed(100 * (shares.max() ?? 0), decimals: 1)) % of its memory."
    let short = rows.map { range in
      let first = labels.label(placement.units[range.lowerBound].name, characters: 16)
      return range.count == 1
        ? first
        : "\(first) … \(labels.label(placement.units[range.upperBound - 1].name, characters: 16))"
    }
    return .drawn(
      Figure(sentence: sentence, table: table) { width in
        drawing(counts, rows: short, rowNames: rowNames, columns: columnNames, width: width)
      })
  }

  private static func groups(_ count: Int, most: Int) -> [Range<Int>] {
    let size = (count + most - 1) / most
    return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }

  /// The area of a square says the count, and the number beside it where there is room.
  private static func drawing(
    _ counts: [[Int]], rows: [String], rowNames: [String], columns: [String], width: Double
  ) -> Drawing {
    let left = min((rows.map { TextWidth.of($0) }.max() ?? 0) + 10, width * 0.36)
    let step = min((width - left) / Double(columns.count), 110)
    let (height, top) = (22.0, 24.0)
    let most = Double(counts.joined().max() ?? 1)
    let showsNumbers = step >= 46
    var drawing = Drawing(width: width, height: top + Double(counts.count) * height + 6)
    for (column, name) in columns.enumerated() where step > 3 * TextWidth.character {
      let label = TextWidth.fitted(name, into: step)
      drawing.text(
        label, x: left + (Double(column) + 0.5) * step, y: 14, anchor: .middle, fill: .muted,
        title: name)
    }
    for (row, counts) in counts.enumerated() {
      let y = top + (Double(row) + 0.5) * height
      drawing.line(
        from: (left, y + height / 2), to: (left + step * Double(columns.count), y + height / 2),
        stroke: .grid)
      let label = TextWidth.fitted(rows[row], into: left - 10)
      drawing.text(label, x: left - 8, y: y + 4, anchor: .end, title: rowNames[row])
      for (column, count) in counts.enumerated() where count > 0 {
        let side = max((Double(count) / max(most, 1)).squareRoot() * min(16, step * 0.8), 2)
        let x = left + (Double(column) + 0.5) * step - (showsNumbers ? 14 : 0)
        drawing.rectangle(
          x: x - side / 2, y: y - side / 2, width: side, height: side, fill: .answer,
          title: "\(rowNames[row]) on \(columns[column]): \(count)")
        if showsNumbers { drawing.text("\(count)", x: x + 13, y: y + 4) }
      }
    }
    return drawing
  }
}
