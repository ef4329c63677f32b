internal import PlanFiles
internal import Workflow

/// What was pruned: a row per unit, then the whole.
struct ApplyTable {
  private let document: ApplyDocument
  private let run: RunDocument

  init(_ document: ApplyDocument, _ run: RunDocument) {
    self.document = document
    self.run = run
  }

  func text(on page: Page) -> String {
    let columns: [TextTable.Column] = [
      .text("unit"), .number("modules", spare: 0), .number("zeros"),
      .number("of weights", spare: 1), .number("share"),
    ]
    var table = TextTable(columns: columns, bar: page.bar)
    var first = 0
    while first < document.modules.count {
      let unit = document.modules[first].unit
      let own = document.modules[first...].prefix { $0.unit == unit }
      let weights = own.reduce(0) { $0 + $1.weights }
      let zeros = own.reduce(0) { $0 + $1.zeros }
      let share = weights > 0 ? Double(zeros) / Double(weights) : 0
      let cells = [
        unit, "\(own.count)", NumberText.grouped(zeros), NumberText.grouped(weights),
        NumberText.share(share),
      ]
      table.add(cells, weight: share)
      first += own.count
    }
    return page.text(of: table, below: "\n" + summary, notes: document.notes)
  }

  private var summary: String {
    let pattern = document.pattern == "none" ? "" : ", \(document.pattern)"
    return """
      \(NumberText.grouped(document.zeros)) of \(NumberText.grouped(document.weights)) weights are 0 \
      (\(NumberText.fixed(100 * document.sparsity, decimals: 2)) %), counted in the files; \
      \(document.method), \(document.within)\(pattern)
      \(run.ranks) rank\(run.ranks == 1 ? "" : "s"), \(NumberText.fixed(run.seconds, decimals: 2)) s

      """
  }
}
