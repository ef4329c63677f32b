internal import PlanFiles
internal import Workflow

/// What was pruned: a row per unit, then the whole.
struct ApplyTable {
  private let document: ApplyDocument
  private let run: RunDocument
  private let color: Bool

  init(_ document: ApplyDocument, _ run: RunDocument, color: Bool) {
    self.document = document
    self.run = run
    self.color = color
  }

  var text: String {
    var table = TextTable(columns: [
      .text("unit"), .number("modules"), .number("zeros"), .number("of weights"),
      .number("share"), .text(""),
    ])
    let bar = Bar(width: 24, color: color)
    var first = 0
    while first < document.modules.count {
      let unit = document.modules[first].unit
      let own = document.modules[first...].prefix { $0.unit == unit }
      let weights = own.reduce(0) { $0 + $1.weights }
      let zeros = own.reduce(0) { $0 + $1.zeros }
      let share = weights > 0 ? Double(zeros) / Double(weights) : 0
      table.add([
        unit, "\(own.count)", NumberText.grouped(zeros), NumberText.grouped(weights),
        NumberText.fixed(share, decimals: 4), bar.text(share),
      ])
      first += own.count
    }
    return table.text + "\n" + summary
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
