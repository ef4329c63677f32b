import Foundation
import TestSupport
import Testing

/// From a plan and nodes to a placement by the command alone.
@Suite("Placing", .serialized)
struct PlaceTests {
  private struct Placement: Decodable {
    struct Node: Decodable {
      let name: String
      let memoryBytes: Int
      let usedBytes: Int
      let deviceLoads: [Double]?
    }
    struct Unit: Decodable {
      let name: String
      let slots: [Int]
      let devices: [Int]
      let experts: [Int]?
      let balancedness: Double?
    }
    let format: String
    let nodes: [Node]
    let units: [Unit]
    let balancedness: Double?
  }

  private func write(_ text: String, _ name: String, in folder: String) throws -> String {
    try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    return "\(folder)/\(name)"
  }

  /// A plan with no more in it than placing needs.
  private func plan(
    in folder: String, slots: [Int], cost: Int = 100, parameters: String = #""unit": "slots""#
  ) throws -> String {
    let units = slots.enumerated().map {
      #"{"name": "layers.\#($0)", "integer": \#($1), "cost": \#(cost)}"#
    }
    return try write(
      #"{"format": "layerbudget.plan/1", "program": "capacity", "parameters": {\#(parameters)},"#
        + #" "units": [\#(units.joined(separator: ", "))]}"#, "plan.json", in: folder)
  }

  private func nodes(in folder: String, memory: [Int], devices: Int = 1) throws -> String {
    let list = memory.enumerated().map {
      #"{"name": "node\#($0)", "memory_bytes": \#($1), "devices": \#(devices)}"#
    }
    return try write(
      #"{"nodes": [\#(list.joined(separator: ", "))]}"#, "nodes.json", in: folder)
  }

  private func placement(_ path: String) throws -> Placement {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Placement.self, from: contents(path))
  }

  private let exampleLoads = """
    {"units": [
      {"name": "layers.0", "loads": [90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86]},
      {"name": "layers.1", "loads": [20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27]}
    ]}
    """

  @Test("The same bytes alone and on 1, 2 and 3 ranks, with loads and by the ranks' own memory")
  func sameBytes() throws {
    try temporaryFolder { folder in
      let plan = try plan(in: folder, slots: [16, 19])
      let nodes = try nodes(in: folder, memory: [2400, 2400], devices: 4)
      let loads = try write(exampleLoads, "tokens.json", in: folder)
      let hosts = try write("localhost slots=8\n", "hosts", in: folder)
      for (name, options) in [
        ("plain", ["--nodes", nodes]), ("loads", ["--nodes", nodes, "--loads", loads]),
        ("hosts", ["--nodes", hosts]),
      ] {
        let arguments = ["place", plan, "--bytes-per-slot", "100", "--quiet"] + options
        let alone = try Tool.run(arguments + ["-o", "\(folder)/\(name).json"])
        #expect(alone.status == 0, "\(alone.errors)")
        let expected = try contents("\(folder)/\(name).json")
        for ranks in [1, 2, 3] {
          let path = "\(folder)/\(name)-\(ranks).json"
          let outcome = try Tool.run(arguments + ["-o", path], ranks: ranks)
          #expect(outcome.status == 0, "\(outcome.errors)")
          #expect(try contents(path) == expected, "\(name) differs on \(ranks) ranks")
        }
      }
      let hosted = try placement("\(folder)/hosts.json")
      #expect(hosted.nodes.map(\.name) == ["localhost"] && hosted.nodes[0].usedBytes == 3500)
      #expect(hosted.nodes[0].memoryBytes > 1 << 26)
    }
  }

  @Test("Every slot has a node and a device; loads come back as experts and balance")
  func reported() throws {
    try temporaryFolder { folder in
      let plan = try plan(in: folder, slots: [16, 19], parameters: #""budget_unit": "bytes""#)
      let nodes = try nodes(in: folder, memory: [2400, 2400], devices: 4)
      let loads = try write(exampleLoads, "tokens.json", in: folder)
      let path = "\(folder)/placement.json"
      let outcome = try Tool.run(["place", plan, "--nodes", nodes, "--loads", loads, "-o", path])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("35 slots of 2 units on 2 nodes, 8 devices"))
      let placement = try placement(path)
      #expect(placement.format == "layerbudget.placement/1")
      #expect(placement.nodes.map(\.usedBytes).sorted() == [1700, 1800])
      for (unit, slots) in zip(placement.units, [16, 19]) {
        #expect(unit.slots.count == slots && unit.devices.count == slots)
        #expect(Set(unit.experts ?? []) == Set(0..<12))
        let places = zip(zip(unit.slots, unit.devices), unit.experts ?? []).map {
          [$0.0.0, $0.0.1, $0.1]
        }
        #expect(Set(places).count == slots, "an expert twice on a device")
      }
      let balance = try #require(placement.balancedness)
      #expect(balance > 0.85 && balance <= 1)
      let tokens = placement.nodes.flatMap { $0.deviceLoads ?? [] }.reduce(0, +)
      #expect(abs(tokens - 2189) < 1e-9)

      // The same loads as a table are the same placement.
      var rows = "name,expert,tokens\n"
      let table =
        try JSONDecoder().decode(
          [String: [Loads]].self, from: Data(exampleLoads.utf8))["units"] ?? []
      for unit in table {
        for (expert, load) in unit.loads.enumerated().reversed() {
          rows += "\(unit.name),\(expert),\(load)\n"
        }
      }
      let csv = try write(rows, "tokens.csv", in: folder)
      let again = "\(folder)/again.json"
      #expect(
        try Tool.run(["place", plan, "--nodes", nodes, "--loads", csv, "-o", again]).status == 0)
      #expect(try self.placement(again).units.map(\.experts) == placement.units.map(\.experts))
    }
  }

  private struct Loads: Decodable {
    let name: String
    let loads: [Double]
  }

  @Test("A plan of allocate is placed; a dry run prints it and writes nothing")
  func dryRun() throws {
    try temporaryFolder { folder in
      let plan = "\(folder)/plan.json"
      let allocated = try Tool.run([
        "allocate", "--statistics", Tool.exampleStatistics, "--budget", "96", "--integer", "-o",
        plan, "--quiet",
      ])
      #expect(allocated.status == 0, "\(allocated.errors)")
      let nodes = try nodes(in: folder, memory: [40_000, 40_000], devices: 4)
      let before = files(in: folder)
      let outcome = try Tool.run([
        "place", plan, "--nodes", nodes, "--bytes-per-slot", "800", "--dry-run",
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("96 slots of 12 units on 2 nodes, 8 devices"))
      #expect(files(in: folder) == before)
    }
  }

  @Test("Every refusal has its code, says what is wrong, and writes nothing", arguments: [nil, 2])
  func refusals(ranks: Int?) throws {
    try temporaryFolder { folder in
      let plan = try plan(in: folder, slots: [4, 3])
      let nodes = try nodes(in: folder, memory: [300, 350])
      let wide = try write(
        #"{"nodes": [{"name": "w", "memory_bytes": 1000}]}"#, "wide.json", in: folder)
      let pruning = try write(
        #"{"format": "layerbudget.plan/1", "program": "pruning", "units": []}"#, "pruning.json",
        in: folder)
      let fractional = try write(
        #"{"format": "layerbudget.plan/1", "program": "capacity", "#
          + #""units": [{"name": "a", "cost": 1}]}"#, "fractional.json", in: folder)
      let ranked = try write(
        #"{"format": "layerbudget.plan/1", "program": "capacity", "parameters": {"unit": "rank"}, "#
          + #""units": []}"#, "ranked.json", in: folder)
      let typo = try write(
        "name,expert,tokens\nlayers.0,0,5\nlayer.1,0,5\n", "typo.csv", in: folder)
      let many = try write(
        #"{"units": [{"name": "layers.0", "loads": [1, 1, 1, 1, 1]}]}"#, "many.json", in: folder)
      let partial = try write(
        #"{"units": [{"name": "layers.0", "loads": [1]}]}"#, "partial.json", in: folder)
      let gap = try write("name,expert,tokens\nlayers.0,1,5\n", "gap.csv", in: folder)
      let hosts = try write("no-such-host\n", "hosts", in: folder)
      let sized = ["--bytes-per-slot", "100"]
      let cases: [([String], Int32, [String])] = [
        ([plan, "--nodes", nodes] + sized, 69, ["100 bytes", "node1", "\"600 bytes\""]),
        ([plan, "--nodes", wide], 64, ["--bytes-per-slot"]),
        ([plan, "--nodes", folder + "/none.json"] + sized, 66, ["none.json"]),
        ([folder + "/none.json", "--nodes", wide] + sized, 66, ["none.json"]),
        ([pruning, "--nodes", wide] + sized, 65, ["pruning program"]),
        ([fractional, "--nodes", wide] + sized, 65, ["--integer"]),
        ([ranked, "--nodes", wide] + sized, 65, ["\"rank\""]),
        ([plan, "--nodes", hosts] + sized, 65, ["no-such-host", "--map-by"]),
        ([plan, "--nodes", wide, "--loads", typo] + sized, 65, ["layers.1"]),
        ([plan, "--nodes", wide, "--loads", many] + sized, 65, ["5 experts", "4 slots"]),
        ([plan, "--nodes", wide, "--loads", partial] + sized, 65, ["layers.1"]),
        ([plan, "--nodes", wide, "--loads", gap] + sized, 65, ["number 0"]),
        ([plan, "--nodes", wide, "--bytes-per-slot", "0"], 64, ["--bytes-per-slot is 0"]),
      ]
      let before = files(in: folder)
      for (arguments, code, hints) in cases {
        let outcome = try Tool.run(
          ["place"] + arguments + ["-o", "\(folder)/out.json"], ranks: ranks)
        #expect(outcome.status == code, "\(arguments): \(outcome.errors)")
        for hint in hints { #expect(outcome.errors.contains(hint), "\(outcome.errors)") }
        #expect(files(in: folder) == before, "\(files(in: folder))")
      }
      let unwritable = try Tool.run(
        ["place", plan, "--nodes", wide, "-o", "\(folder)/no/out.json"] + sized, ranks: ranks)
      #expect(unwritable.status == 73, "\(unwritable.errors)")
    }
  }
}
