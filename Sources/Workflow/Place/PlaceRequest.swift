public import Collectives
internal import Placement
public import PlanFiles

/// `layerbudget place`: a capacity plan and nodes in, a node and a device for every slot out.
public struct PlaceRequest: Sendable {
  /// What one slot takes.
  public enum SlotSize: Sendable, Equatable {
    /// The plan's costs, where they are bytes.
    case ofPlan
    case bytes(Double)
    /// CSV `name,bytes`.
    case table(String)
  }

  public var plan: String
  /// JSON, or an Open MPI hostfile whose hosts this run has ranks on.
  public var nodes: String
  /// Tokens per logical expert: JSON or CSV.
  public var loads: String?
  public var slotSize = SlotSize.ofPlan
  /// Nil writes nothing.
  public var output: String?

  public init(plan: String, nodes: String, output: String?) {
    self.plan = plan
    self.nodes = nodes
    self.output = output
  }

  /// plan, nodes, loads → problem → placement → output.
  ///
  /// Collective: every rank calls and reads the inputs; rank 0 places, which takes no longer than
  /// sharing would. Returns placement and run at rank 0, nil elsewhere; throws the same failure on every
  /// rank, with nothing written.
  public func run(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> (document: PlacementDocument, run: RunDocument)? {
    let record = RunRecord(command: "place")
    let documents = output.map { OutputDocuments(path: $0) }
    try documents?.requireWritable(over: world)

    // 1. What is to be placed, and where.
    let inputs = try agreed(over: world) { () throws(Failure) in try PlaceInputs(self) }
    try requireSameInput(inputs.checksum, what: "the plan, loads or sizes", over: world)
    let list = try NodeList(path: nodes, over: world)

    // 2. The placement.
    let document = try agreed(over: world) { () throws(Failure) -> PlacementDocument? in
      guard world.rank == 0 else { return nil }
      var steps = ProgressSteps(.placing, work: inputs.units.map { LoneWork.placing($0.slots) })
      return try inputs.place(on: list) { world.report(steps.begin()) }
    }

    // 3. The output.
    let run = try record.finish(
      slice: RunDocument.Slice(
        rank: world.rank, units: world.rank == 0 ? inputs.units.count : 0, modules: 0,
        operations: 0, seconds: 0, peakBytes: 0),
      scoringSeconds: nil, searchSeconds: nil, search: nil, over: world)
    try documents?.write(
      document, rows: document?.units.reduce(0) { $0 + $1.slots.count } ?? 0, run: run, over: world)
    guard let document, let run else { return nil }
    return (document, run)
  }
}
