internal import ArgumentParser
internal import Collectives
internal import HTMLReport
internal import Workflow

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Show a plan as a page for people.",
    discussion: """
      layerbudget report plan.json --scores scores.json -o report.html
      layerbudget report plan.json --format svg --chart allocation -o allocation.svg

      One HTML file that needs nothing beside it: charts with their tables, and where the plan comes \
      from. Single charts for papers: --format svg, or png, which takes rsvg-convert of librsvg.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case html
    case svg
    case png

    func target(_ chart: ReportChart) -> ReportRequest.Format {
      self == .png ? .png(chart) : .svg(chart)
    }
  }

  @Argument(help: "Plan of layerbudget allocate or prune.")
  var plan: String

  @Option(help: "Scores of the same units: adds their gradient norms.")
  var scores: String?

  @Option(help: "Placement of the plan's slots: adds their grid.")
  var placement: String?

  @Option(name: .customLong("run"), help: "Run file (the one beside the plan).")
  var runFile: String?

  @Option(help: "html, or svg or png for a single chart.")
  var format = Format.html

  @Option(help: "svg, png: \(ReportChart.names).")
  var chart: ReportChart?

  @Option(
    name: .shortAndLong, help: "File to write (report.html, or the chart's name with .svg or .png)."
  )
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
    guard let written = try request.run(over: world), !printing.quiet else { return }
    if printing.json {
      try Printed.json(written)
      return
    }
    Process.writeToStandardOutput(
      "\(written.path): \(written.units) unit\(written.units == 1 ? "" : "s"), \(written.bytes) bytes\n"
    )
    Process.print(notes: written.notes)
  }
}
