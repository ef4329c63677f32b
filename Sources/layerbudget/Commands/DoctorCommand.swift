internal import ArgumentParser
internal import Collectives
internal import PlanFiles
internal import Workflow

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Show what this machine and this mpirun look like, and what to change.",
    discussion: """
      Builds, MPI, BLAS, processors and memory of all ranks; given inputs and an output, whether all \
      hosts see the same, and whether memory and disk suffice. Ends with 78 where a run could not be \
      trusted.

        layerbudget doctor
        mpirun -n 2 layerbudget doctor --statistics stats/ -o plan.json
      """)

  @OptionGroup var computing: StatisticsOptions

  @Option(
    help: "Folder of the model's weights that a run would read.", completion: .directory)
  var checkpoint: String?

  @Option(name: .shortAndLong, help: "Output that a run would write.", completion: .file())
  var output: String?

  @OptionGroup(title: "Output") var printing: OutputOptions

  func run() throws {
    var request = DoctorRequest(checks: printing.launch.checks)
    request.statistics = computing.statistics.map(computing.request)
    request.checkpoint = checkpoint
    request.output = output
    Launch.run(printing, DoctorWork(request: request, printing: printing))
  }
}

private struct DoctorWork: Launch.Work {
  let request: DoctorRequest
  let printing: OutputOptions
  let checksFirst = false

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    let report = try request.run(over: world)
    if let report {
      try Printed.document(report, printing) { DoctorTable(report).text(on: $0) }
    }
    try DoctorRequest.requireHealth(report, over: world)
  }
}

/// The machine, a row per host, and the findings.
private struct DoctorTable {
  let report: DoctorReport

  init(_ report: DoctorReport) {
    self.report = report
  }

  func text(on page: Page) -> String {
    var facts = TextTable(columns: [.text("layerbudget"), .text(report.version)])
    facts.add(["build", report.build])
    facts.add(["MPI", report.mpi])
    facts.add(["BLAS", report.blas])
    if let seconds = report.allreduceSeconds {
      facts.add(["allreduce", "\(NumberText.latency(seconds)), \(report.ranks) ranks"])
    }
    var hosts = TextTable(columns: [
      .text("host"), .number("ranks"), .number("processors"), .number("threads", spare: 0),
      .text("BLAS", spare: 1),
      .number("memory"),
    ])
    for host in report.hosts {
      let quota = host.processorQuota.map { " (time of \(NumberText.short($0)))" } ?? ""
      hosts.add([
        host.name, "\(host.ranks)", "\(host.processors)\(quota)", "\(host.threads)", host.blasCore,
        host.memoryBytes.map(NumberText.bytes) ?? "unknown",
      ])
    }
    let findings = report.findings.map { finding in
      let word = finding.severity.rawValue
      return word + String(repeating: " ", count: 7 - word.count) + finding.text + "\n"
    }
    return page.text(
      of: hosts, above: facts.text + "\n", below: "\n" + findings.joined())
  }
}
