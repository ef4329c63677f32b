/// The table of a chart whose marks stand for several neighbouring units.
enum SpreadTable {
  static func table(
    _ caption: String, _ names: [String], _ bins: UnitBins,
    _ series: [(name: String, spreads: [UnitBins.Spread?])], _ text: (Double) -> String
  ) -> FigureTable {
    guard bins.isAggregated else {
      var table = FigureTable(caption: caption, columns: ["unit"] + series.map(\.name))
      for (index, range) in bins.ranges.enumerated() {
        table.add(
          [names[range.lowerBound]] + series.map { $0.spreads[index].map { text($0.median) } ?? "" }
        )
      }
      return table
    }
    var table = FigureTable(
      caption: caption + "; groups of neighbouring units",
      columns: ["first unit", "last unit", "units"]
        + series.flatMap { ["\($0.name): least", "median", "largest"] })
    table.wordColumns = [1]
    for (index, range) in bins.ranges.enumerated() {
      let cells = series.flatMap { one in
        one.spreads[index].map { [text($0.least), text($0.median), text($0.largest)] }
          ?? ["", "", ""]
      }
      table.add([names[range.lowerBound], names[range.upperBound - 1], "\(range.count)"] + cells)
    }
    return table
  }
}
