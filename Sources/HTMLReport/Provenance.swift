internal import PlanFiles

/// What the plan and this page were made from: options as resolved, fingerprints of inputs, version.
struct Provenance {
  let contents: ReportContents

  var tables: [FigureTable] {
    var files = FigureTable(
      caption: "Files by their contents", columns: ["file", "bytes", "headers", "contents"])
    files.wordColumns = [2, 3]
    for source in contents.sources { add(source.role, source.fingerprint, to: &files) }
    for (name, fingerprint) in contents.plan.inputs.sorted(by: { $0.key < $1.key }) {
      add("the plan's \(name)", fingerprint, to: &files)
    }
    var options = FigureTable(
      caption: "Options of the plan, as resolved", columns: ["option", "value"])
    options.wordColumns = [1]
    for (name, value) in contents.plan.parameters.sorted(by: { $0.key < $1.key }) {
      options.add([name, text(value)])
    }
    return [files, options]
  }

  var sentence: String {
    var text = "Report by layerbudget \(contents.version)"
    if let run = contents.run { text += "; the plan by layerbudget \(run.version) \(run.command)" }
    return text
      + ". Contents are XXH64 checksums; the same files give the same page, byte for byte."
  }

  private func add(
    _ name: String, _ fingerprint: InputFingerprint, to table: inout FigureTable
  ) {
    table.add([
      name, NumberText.grouped(fingerprint.bytes), fingerprint.headers ?? "", fingerprint.contents,
    ])
  }

  private func text(_ value: ParameterValue) -> String {
    switch value {
    case .text(let text): text
    case .number(let number):
      number == number.rounded() && abs(number) < 1e15
        ? "\(Int(number))" : "\(number)"
    case .flag(let flag): flag ? "yes" : "no"
    }
  }
}
