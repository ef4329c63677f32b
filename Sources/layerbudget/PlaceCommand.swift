internal import ArgumentParser
internal import Collectives
internal import PlanFiles
internal import Workflow

struct PlaceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "place",
    abstract: "Give every expert slot of a plan a node and a device.",
    discussion: """
      layerbudget place plan.json --nodes nodes.json -o placement.json
      layerbudget place plan.json --nodes nodes.json --loads loads.json -o placement.json
      mpirun --hostfile hosts --map-by ppr:1:node layerbudget place plan.json --nodes hosts \
      --bytes-per-slot 352321536 -o placement.json

      No device gets more than its memory. Every layer is spread evenly over the nodes, in proportion \
      to their memory. With loads, busy experts get several slots, and devices equal loads.
      """)

  @Argument(help: "Plan of layerbudget allocate --integer.")
  var plan: String

  @Option(
    help: """
      JSON with name, memory_bytes and devices of each node; or an Open MPI hostfile, with a rank on \
      every host: then they are asked for their memory.
      """)
  var nodes: String

  @Option(help: "Tokens per expert: JSON, or CSV with name,expert,tokens.")
  var loads: String?

  @Option(
    help: "Bytes of a slot: a number, or CSV with name,bytes. Default: the plan's costs in bytes.")
  var bytesPerSlot: String?

  @Option(name: .shortAndLong, help: "Where the placement goes.")
  var output: String?

  @OptionGroup(title: "Output") var printing: OutputOptions

  @Flag(help: "Print the placement's table and write nothing.")
  var dryRun = false

  func validate() throws {
    guard dryRun || output?.isEmpty == false else {
      throw ValidationError("give -o FILE, or --dry-run")
    }
    if let bytesPerSlot, let number = Double(bytesPerSlot) {
      guard number > 0, number < 0x1p53 else {
        throw ValidationError(
          "--bytes-per-slot is \(bytesPerSlot), but must be above 0 and below 2^53")
      }
    }
  }

  func run() throws {
    var request = PlaceRequest(plan: plan, nodes: nodes, output: dryRun ? nil : output)
    request.loads = loads
    if let bytesPerSlot {
      request.slotSize = Double(bytesPerSlot).map { .bytes($0) } ?? .table(bytesPerSlot)
    }
    Launch.run(printing, PlaceWork(request: request, printing: printing))
  }
}

private struct PlaceWork: Launch.Work {
  let request: PlaceRequest
  let printing: OutputOptions

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    guard let (document, run) = try request.run(over: world), !printing.quiet else { return }
    if printing.json {
      try Printed.json(document)
      return
    }
    Process.writeToStandardOutput(PlacementTable(document, run, color: printing.usesColor).text)
    Process.print(notes: document.notes)
  }
}
