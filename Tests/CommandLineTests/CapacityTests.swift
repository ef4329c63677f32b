import Foundation
import TensorFiles
import TestSupport
import Testing

/// Budgets in bytes, parameters and ranks, from checkpoints and scores, by the command.
@Suite("Budgets and what they buy", .serialized)
struct CapacityTests {
  private struct Plan: Decodable {
    struct Unit: Decodable {
      let name: String
      let modules: [String]?
      let integer: Int
      let cost: Double
      let lower: Double
    }
    let budget: Double
    let spentInteger: Double
    let units: [Unit]
    enum CodingKeys: String, CodingKey {
      case budget, units
      case spentInteger = "spent_integer"
    }
    var bought: Double { units.reduce(0) { $0 + $1.cost * Double($1.integer) } }
  }

  private func plan(_ arguments: [String], in folder: String, ranks: Int? = nil) throws -> Plan {
    let path = "\(folder)/plan.json"
    let outcome = try Tool.run(
      ["allocate", "--integer", "-o", path, "--quiet"] + arguments, ranks: ranks)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try JSONDecoder().decode(Plan.self, from: contents(path))
  }

  private func refusal(_ arguments: [String], in folder: String) throws -> (Int32, String) {
    let outcome = try Tool.run(["allocate", "-o", "\(folder)/no.json"] + arguments)
    #expect(!files(in: folder).contains("no.json"))
    return (outcome.status, outcome.errors)
  }

  /// Three layers: one dense, one of small fused experts, one of large ones of their own.
  private func mixture(in folder: String) throws -> (scores: String, checkpoint: String) {
    let checkpoint = "\(folder)/model"
    try FileManager.default.createDirectory(
      atPath: checkpoint, withIntermediateDirectories: false)
    var tensors: [(String, ElementType, [Int])] = [
      ("model.layers.0.mlp.up_proj.weight", .bfloat16, [8, 8]),
      ("model.layers.1.mlp.experts.gate_up_proj", .bfloat16, [4, 8, 16]),
      ("model.layers.1.mlp.experts.down_proj", .bfloat16, [4, 8, 8]),
    ]
    for expert in 0..<4 {
      tensors.append(("model.layers.2.mlp.experts.\(expert).up_proj.weight", .float32, [32, 8]))
    }
    var contents: [(name: String, elementType: ElementType, shape: [Int], bytes: [UInt8])] = []
    for (name, type, shape) in tensors {
      let count = shape.reduce(1, *) * type.bitWidth / 8
      contents.append((name, type, shape, [UInt8](repeating: 0, count: count)))
    }
    try TensorFileWriter.write(contents, metadata: [:], to: "\(checkpoint)/model.safetensors")
    try DurableFile.write(
      Array(#"{"num_experts_per_tok": 2}"#.utf8), to: "\(checkpoint)/config.json")
    try DurableFile.write(
      Array("name,gain\nmodel.layers.1,3\nmodel.layers.2,5\n".utf8), to: "\(folder)/scores.csv")
    return ("\(folder)/scores.csv", checkpoint)
  }

  @Test("Bytes buy experts at what the checkpoint's tensors take, and routing sets the floor")
  func expertBytes() throws {
    try temporaryFolder { folder in
      let (scores, checkpoint) = try mixture(in: folder)
      let options = ["--scores", scores, "--checkpoint", checkpoint]
      let bytes = try plan(options + ["--budget", "10 KiB"], in: folder)
      #expect(bytes.units.map(\.cost) == [384, 1024])
      #expect(bytes.units.map(\.lower) == [2, 2] && bytes.budget == 10240)
      #expect(bytes.bought == bytes.spentInteger && bytes.bought <= 10240)
      #expect(bytes.units.allSatisfy { $0.integer >= 2 })
      let parameters = try plan(options + ["--budget", "4k parameters"], in: folder)
      #expect(parameters.units.map(\.cost) == [192, 256])
      // Slots cost 1 each, also where a checkpoint is given for its routing.
      let slots = try plan(options + ["--budget", "9 slots", "--top-k", "1"], in: folder)
      #expect(slots.units.map(\.cost) == [1, 1] && slots.units.map(\.lower) == [1, 1])
      #expect(slots.bought == 9)
    }
  }

  @Test("A share of the nodes' memory counts each node once, however many ranks it has")
  func nodeMemory() throws {
    try temporaryFolder { folder in
      let (scores, checkpoint) = try mixture(in: folder)
      let options = [
        "--scores", scores, "--checkpoint", checkpoint, "--budget", "nodes:0.5", "--max", "9",
      ]
      let alone = try plan(options, in: folder)
      let bytes = try contents("\(folder)/plan.json")
      _ = try plan(options, in: folder, ranks: 3)
      #expect(try contents("\(folder)/plan.json") == bytes)
      #expect(alone.budget > 1e8 && alone.budget < Double(ProcessInfo.processInfo.physicalMemory))
      #expect(alone.units.map(\.integer) == [9, 9])
    }
  }

  @Test("A nodes file says how much memory there is, for the budget and for placing")
  func nodesFile() throws {
    try temporaryFolder { folder in
      let (scores, checkpoint) = try mixture(in: folder)
      let nodes = "\(folder)/nodes.json"
      try DurableFile.write(
        Array(
          #"{"nodes":[{"name":"a","memory_bytes":8000},{"name":"b","memory_bytes":4000,"devices":2}]}"#
            .utf8), to: nodes)
      let bought = try plan(
        [
          "--scores", scores, "--checkpoint", checkpoint, "--budget", "nodes:0.75", "--nodes",
          nodes,
        ], in: folder, ranks: 2)
      #expect(bought.budget == 9000 && bought.bought <= 9000 && bought.bought > 8000)
      let placed = try Tool.run([
        "place", "\(folder)/plan.json", "--nodes", nodes, "-o", "\(folder)/placement.json",
      ])
      #expect(placed.status == 0, "\(placed.errors)")
      let missing = try refusal(
        [
          "--scores", scores, "--checkpoint", checkpoint, "--budget", "nodes:0.75", "--nodes",
          "\(folder)/none.json",
        ], in: folder)
      #expect(missing.0 == 66 && missing.1.contains("none.json"))
    }
  }

  @Test("What has no experts, too few slots or too little money is refused")
  func refusals() throws {
    try temporaryFolder { folder in
      let (scores, checkpoint) = try mixture(in: folder)
      let options = ["--scores", scores, "--checkpoint", checkpoint]
      let few = try refusal(options + ["--budget", "8 KiB", "--max", "1"], in: folder)
      #expect(few.0 == 69 && few.1.contains("model.layers.1") && few.1.contains("2 experts"))
      let poor = try refusal(options + ["--budget", "2 KiB"], in: folder)
      #expect(poor.0 == 69 && poor.1.contains("2816"))
      try DurableFile.write(
        Array("name,gain\nmodel.layers.0,3\nmodel.layers.2,5\n".utf8), to: scores)
      let dense = try refusal(options + ["--budget", "8 KiB"], in: folder)
      #expect(dense.0 == 65 && dense.1.contains("\"model.layers.0\" has no tensors"))
      let unknown = try refusal(["--scores", scores, "--budget", "8 KiB"], in: folder)
      #expect(unknown.0 == 64 && unknown.1.contains("--checkpoint DIR"))
      let text = try refusal(["--scores", scores, "--budget", "7B"], in: folder)
      #expect(text.0 == 64 && text.1.contains("--budget 7B"))
    }
  }

  @Test("Ranks cost in + out of every module, by statistics and by the checkpoint alike")
  func loraRanks() throws {
    try temporaryFolder { folder in
      let options = [
        "--statistics", Tool.exampleStatistics, "--unit", "rank", "--group-by", "module",
      ]
      let known = try plan(
        options + ["--budget", "20k parameters", "--max", "16", "--multiple-of", "2"], in: folder)
      #expect(known.units.count == 84)
      #expect(known.bought <= 20_000 && known.bought > 19_700)
      #expect(known.units.allSatisfy { $0.integer.isMultiple(of: 2) && $0.integer <= 16 })
      #expect(known.units.allSatisfy { $0.modules == [$0.name] })
      let query = try #require(known.units.first { $0.name.hasSuffix("q_proj") })
      let gate = try #require(known.units.first { $0.name.hasSuffix("gate_proj") })
      #expect(query.cost == 96 && gate.cost == 48 + 120)
      let stored = try plan(
        options + [
          "--budget", "40 kB", "--checkpoint", Tool.exampleModel, "--max", "16", "--multiple-of",
          "2",
        ], in: folder, ranks: 3)
      #expect(stored.units.map(\.integer) == known.units.map(\.integer))
      #expect(stored.units.map(\.cost) == known.units.map { 2 * $0.cost })
      let blocks = try plan(
        ["--statistics", Tool.exampleStatistics, "--unit", "rank", "--budget", "300 ranks"],
        in: folder)
      #expect(blocks.units.allSatisfy { $0.cost == 7 } && blocks.bought <= 300)
    }
  }
}
