internal import ArgumentParser
internal import Collectives
internal import Workflow

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what statistics, a checkpoint, scores or a plan hold.",
    discussion: """
      layerbudget inspect stats.safetensors
      layerbudget inspect plan.json --json
      """)

  @Argument(help: "A safetensors file or folder, a scores file or a plan.")
  var path: String

  @OptionGroup(title: "Output") var printing: OutputOptions

  func run() throws {
    Launch.run(threads: 1, InspectWork(path: path, printing: printing))
  }
}

private struct InspectWork: Launch.Work {
  let path: String
  let printing: OutputOptions

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    guard let inspection = try Inspection.of(path, over: world), !printing.quiet else { return }
    if printing.json {
      try Printed.json(inspection)
      return
    }
    var text = "\(inspection.path): \(inspection.kind)\n"
    for fact in inspection.facts { text += "  \(fact.name): \(fact.value)\n" }
    var table = TextTable(
      columns: inspection.columns.enumerated().map { index, name in
        index == 0 || inspection.rows.contains { Double($0[index]) == nil && !$0[index].isEmpty }
          ? .text(name) : .number(name)
      })
    for row in inspection.rows { table.add(row) }
    Process.writeToStandardOutput(text + "\n" + table.text)
  }
}
