internal import ArgumentParser
internal import Collectives
internal import PlanFiles
internal import Workflow

struct PlaceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "place",
    abstract: "Give every expert slot of a plan a node and a device.",
    discussion: """
      No device gets more than its memory, and every layer is spread over the nodes in proportion to it. \
      With loads, busy experts get several slots, and devices equal loads.

        layerbudget place slots.json --nodes nodes.json --bytes-per-slot 352321536 \\
          -o placement.json
        layerbudget place slots.json --nodes nodes.json --bytes-per-slot sizes.csv \\
          --dry-run
        mpirun --hostfile hosts --map-by ppr:1:node layerbudget place slots.json \\
          --nodes hosts --bytes-per-slot 1000 -o placement.json
      """)

  @Argument(
    help: "Plan of layerbudget allocate --integer.", completion: .file(extensions: ["json"]))
  var plan: String

  @Option(
    help: """
      JSON with name, memory_bytes and devices of each node; or an Open MPI hostfile, with a rank on \
      every host: then they are asked for their memory.
      """, completion: .file())
  var nodes: String

  @Option(
    help: "Tokens per expert: JSON, or CSV with name,expert,tokens.", completion: .file())
  var loads: String?

  @Option(
    help: "Bytes of a slot: a number, or CSV with name,bytes. Default: the plan's costs in bytes.",
    completion: .file())
  var bytesPerSlot: String?

  @Option(name: .shortAndLong, help: "Where the placement goes.", completion: .file())
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
    guard let (document, run) = try request.run(over: world) else { return }
    try Printed.document(document, notes: document.notes, printing) {
      PlacementTable(document, run).text(on: $0)
    }
  }
}
