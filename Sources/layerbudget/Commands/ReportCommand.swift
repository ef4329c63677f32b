internal import ArgumentParser
internal import Collectives
internal import HTMLReport
internal import PlanFiles
internal import Workflow

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Show a plan as a page for people.",
    discussion: """
      One HTML file that needs nothing beside it: charts with their tables, and where the plan comes \
      from. Or one chart as SVG or PNG, for papers; PNG takes rsvg-convert of librsvg.

        layerbudget report slots.json --scores scores.json -o report.html
        layerbudget report slots.json --format svg --chart allocation -o chart.svg
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case html
    case svg
    case png

    func target(_ chart: ReportChart) -> ReportRequest.Format {
      self == .png ? .png(chart) : .svg(chart)
    }
  }

  @Argument(
    help: "Plan of layerbudget allocate or prune.", completion: .file(extensions: ["json"]))
  var plan: String

  @Option(
    help: "Scores of the same units: adds their gradient norms.", completion: .file())
  var scores: String?

  @Option(
    help: "Placement of the plan's slots: adds their grid.", completion: .file(extensions: ["json"])
  )
  var placement: String?

  @Option(
    name: .customLong("run"), help: "Run file (the one beside the plan).",
    completion: .file(extensions: ["json"]))
  var runFile: String?

  @Option(help: "A page, or a single chart.")
  var format = Format.html

  @Option(help: "The chart of --format svg or png.")
  var chart: ReportChart?

  @Option(
    name: .shortAndLong,
    help: "File to write (report.html, or the chart's name with .svg or .png).",
    completion: .file())
  var output: String?

  @OptionGroup(title: "Output") var printing: OutputOptions

  func validate() throws {
    guard (chart != nil) == (format != .html) else {
      throw ValidationError(
        format != .html
          ? "--format \(format.rawValue) draws one chart: give --chart \(ReportChart.names)"
          : "--chart is for --format svg or png; a page has all of them")
    }
    guard output != "" else { throw ValidationError("give -o a file name") }
    for input in [plan, scores, placement, runFile] where input != nil && input == output {
      throw ValidationError("-o \(output ?? "") would overwrite an input; give another name")
    }
  }

  func run() throws {
    var request = ReportRequest(
      plan: plan, format: chart.map(format.target) ?? .html,
      output: output ?? chart.map { "\($0.rawValue).\(format.rawValue)" } ?? "report.html")
    request.scores = scores
    request.placement = placement
    request.run = runFile
    Launch.run(printing, ReportWork(request: request, printing: printing))
  }
}

private struct ReportWork: Launch.Work {
  let request: ReportRequest
  let printing: OutputOptions

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    guard let written = try request.run(over: world) else { return }
    try Printed.document(written, notes: written.notes, printing) { _ in
      "\(written.path): \(NumberText.grouped(written.units)) unit\(written.units == 1 ? "" : "s"), "
        + "\(NumberText.grouped(written.bytes)) bytes\n"
    }
  }
}
