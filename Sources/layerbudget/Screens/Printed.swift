internal import PlanFiles
internal import Workflow

/// What rank 0 prints at the end of a command.
enum Printed {
  /// A line for standard error, at once.
  @Sendable static func note(_ text: String) {
    Process.writeToStandardError("note: \(text)\n")
  }

  static func json(_ document: some Encodable) throws(Failure) {
    do {
      Process.writeToStandardOutput(
        String(decoding: try DocumentCoding.encode(document), as: UTF8.self))
    } catch {
      throw Failure(error)
    }
  }

  /// A document as JSON, or as text for people with its notes on standard error; nothing if quiet.
  static func document(
    _ document: some Encodable, notes: [String] = [], _ printing: OutputOptions,
    text: (Page) -> String
  ) throws(Failure) {
    guard !printing.quiet else { return }
    guard !printing.json else { return try json(document) }
    Process.writeToStandardOutput(text(printing.page))
    Process.print(notes: notes)
  }

  static func plan(
    _ plan: PlanDocument, _ run: RunDocument, _ printing: OutputOptions
  ) throws(Failure) {
    try document(plan, notes: plan.notes, printing) { PlanTable(plan, run).text(on: $0) }
  }

  /// A row per rank of what it would do.
  static func dryRun(_ plan: DryRun, _ printing: OutputOptions) throws(Failure) {
    guard !printing.quiet else { return }
    if printing.json {
      try json(plan)
      return
    }
    var table = TextTable(columns: [
      .text("rank"), .number("units"), .number("modules"), .number("flops"),
      .number("bytes read"), .number("peak bytes"), .number("seconds"),
    ])
    for rank in plan.ranks {
      table.add(
        [
          "\(rank.rank)", "\(rank.units)", "\(rank.modules)", NumberText.short(rank.operations),
          NumberText.grouped(rank.bytesRead), NumberText.grouped(rank.peakBytes),
          rank.seconds.map { NumberText.short($0) } ?? "",
        ], weight: rank.operations)
    }
    Process.writeToStandardOutput(printing.page.text(of: table, below: remarks(on: plan)))
  }

  /// How even the division is, how even it could be, and what the times were made with.
  private static func remarks(on plan: DryRun) -> String {
    var text = "\nlargest work over mean work: \(NumberText.fixed(plan.imbalance, decimals: 3))"
    if plan.smallestImbalance > 1.0005 {
      let least = NumberText.fixed(plan.smallestImbalance, decimals: 3)
      text += " (no division can have less than \(least))"
    }
    if let rates = plan.rates {
      text += "\nper rank, measured now: \(NumberText.short(rates.operationsPerSecond)) flops/s"
      if let bytes = rates.bytesPerSecond { text += ", \(NumberText.short(bytes)) bytes/s read" }
    }
    return text + "\n"
  }
}
