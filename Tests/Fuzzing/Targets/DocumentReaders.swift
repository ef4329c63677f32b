internal import Collectives
internal import PlanFiles
internal import Workflow

enum DocumentReaders {
  static func readPlan(_ bytes: [UInt8]) {
    let path = ScratchFolder.write(bytes, as: "plan.json")
    _ = try? PlanVerification.of(path, over: SoloCollective())
    _ = try? DocumentCoding.decode(RemovalPlan.self, from: bytes, source: path)
    _ = try? DocumentCoding.decode(SlotPlan.self, from: bytes, source: path)
    var request = PlaceRequest(plan: path, nodes: nodes, output: nil)
    request.slotSize = .bytes(1000)
    _ = try? request.run(over: SoloCollective())
  }

  private static let nodes = ScratchFolder.write(
    Array(#"{"nodes":[{"name":"a","memory_bytes":900000,"devices":2}]}"#.utf8), as: "two.json")

  static func readScores(_ bytes: [UInt8]) {
    _ = try? ForeignScores(bytes: bytes, source: "scores")
    guard
      let document = try? DocumentCoding.decode(ScoresDocument.self, from: bytes, source: "scores"),
      let written = try? DocumentCoding.encode(document)
    else { return }
    // What was read can be written and read again: the same document.
    let again = try? DocumentCoding.decode(ScoresDocument.self, from: written, source: "again")
    precondition(again == document, "scores change when they are written and read")
  }

  static func readTables(_ bytes: [UInt8]) {
    _ = try? UnitNames(bytes: bytes, source: "names")
    _ = try? UnitBounds(bytes: bytes, source: "bounds")
    _ = try? UnitPrograms(bytes: bytes, source: "program")
    for column in ["cost", "bytes"] {
      _ = try? UnitNumbers(bytes: bytes, source: "costs", column: column)
    }
  }

  static func readNodes(_ bytes: [UInt8]) {
    _ = try? NodesDocument(bytes: bytes, source: "nodes")
    _ = try? HostFile(bytes: bytes, source: "hosts")
    _ = try? LoadsTable(bytes: bytes, source: "loads")
  }
}
