import Allocation
import Collectives
import Curvature
import Foundation
import PlanFiles
import TestSupport
import Testing
import Workflow

@Suite("The road from statistics to plan")
struct WorkflowLawTests {
  /// Twelve modules in five blocks, of different sizes.
  private func writeStatistics(
    in folder: String, _ change: (inout StatisticsBuilder) -> Void = { _ in }
  ) throws -> String {
    var generator = SeededGenerator(seed: 91)
    var builder = StatisticsBuilder()
    for layer in 0..<5 {
      for (name, m, n) in [("a", 3, 4), ("b", 5, 2)] + (layer < 2 ? [("c", 2, 6)] : []) {
        builder.addModule("net.\(layer).\(name)", outputs: m, inputs: n, &generator)
      }
    }
    change(&builder)
    let path = folder + "/statistics.safetensors"
    try builder.write(to: path)
    return path
  }

  private func allocate(_ source: GainSource, _ output: String) -> AllocateRequest {
    var request = AllocateRequest(
      source: source, measure: CapacityMeasure(budget: .amount(20, .costs)), output: output)
    request.wholeNumbers = true
    return request
  }

  private func prune(_ source: GainSource, _ output: String) -> PruneRequest {
    var request = PruneRequest(
      source: source, program: PruningProgram(sparsity: 0.4), output: output)
    request.bounds.maximum = 0.8
    return request
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  private func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  @Test("Plan bytes do not depend on ranks or search, for both programs")
  func sameBytes() throws {
    try temporaryFolder { folder in
      let path = try writeStatistics(in: folder)
      let source = GainSource.statistics(StatisticsRequest(path: path))
      var plans: [Set<Data>] = [[], []]
      for ranks in [1, 2, 3, 4, 7] {
        for method in PriceSearch.Method.allCases {
          let output = "\(folder)/\(ranks)-\(method).json"
          var capacity = allocate(source, output)
          capacity.search = method
          let request = capacity
          _ = try ThreadedCollective.run(ranks: ranks) { world throws(Failure) in
            _ = try request.run(over: world)
          }
          plans[0].insert(try bytes(output))
          var pruning = prune(source, output)
          pruning.search = method
          let second = pruning
          _ = try ThreadedCollective.run(ranks: ranks) { world throws(Failure) in
            _ = try second.run(over: world)
          }
          plans[1].insert(try bytes(output))
        }
      }
      #expect(plans.map(\.count) == [1, 1])
    }
  }

  @Test("Allocating from scores gives the units and price of allocating from statistics")
  func scoresAreEnough() throws {
    try temporaryFolder { folder in
      let path = try writeStatistics(in: folder)
      let statistics = StatisticsRequest(path: path)
      let scores = folder + "/scores.json"
      _ = try ScoreRequest(statistics: statistics, output: scores).run(over: SoloCollective())
      let direct = try #require(
        try allocate(.statistics(statistics), folder + "/a.json").run(over: SoloCollective()))
      let through = try #require(
        try allocate(.scores(path: scores), folder + "/b.json").run(over: SoloCollective()))
      #expect(direct.plan.units == through.plan.units)
      #expect(direct.plan.price == through.plan.price)
      #expect(direct.plan.certificate == through.plan.certificate)
    }
  }

  @Test("One rank's nan fails every rank alike, and nothing is written", arguments: [1, 2, 5])
  func oneBadRank(ranks: Int) throws {
    try temporaryFolder { folder in
      let path = try writeStatistics(in: folder) {
        $0.add("net.5.bad.gradient", [1, 2], [1, .nan])
        $0.add("net.5.bad.activation_covariance", [2, 2], [1, 0, 0, 1])
        $0.add("net.5.bad.gradient_covariance", [1, 1], [1])
      }
      let before = names(in: folder)
      let request = allocate(
        .statistics(StatisticsRequest(path: path)), folder + "/plan.json")
      let failures = ThreadedCollective.run(ranks: ranks) { world -> Failure? in
        do throws(Failure) {
          _ = try request.run(over: world)
          return nil
        } catch {
          return error
        }
      }
      #expect(failures.count == ranks)
      for failure in failures {
        #expect(failure?.code == .badData)
        #expect(failure?.message.contains("net.5.bad.gradient") == true)
        #expect(failure == failures[0])
      }
      #expect(names(in: folder) == before)
    }
  }

  @Test("Failures have their exit codes")
  func exitCodes() throws {
    try temporaryFolder { folder in
      let path = try writeStatistics(in: folder)
      let good = GainSource.statistics(StatisticsRequest(path: path))
      func code(_ request: AllocateRequest) -> ExitCode? {
        do throws(Failure) {
          _ = try request.run(over: SoloCollective())
          return nil
        } catch {
          return error.code
        }
      }
      let output = folder + "/plan.json"
      #expect(code(allocate(.scores(path: folder + "/none.json"), output)) == .missingInput)
      #expect(code(allocate(good, folder + "/no/plan.json")) == .cannotWrite)
      #expect(code(allocate(good, folder)) == .cannotWrite)
      var request = allocate(good, output)
      request.bounds.minimum = 5
      #expect(code(request) == .infeasible)
      request = allocate(good, output)
      request.bounds.fixed = ["((=1"]
      #expect(code(request) == .usage)
      request = allocate(good, output)
      request.measure.cost = .table(folder + "/none.csv")
      #expect(code(request) == .missingInput)
      #expect(!names(in: folder).contains { $0.contains("plan") })
    }
  }

  @Test("Tables with unknown units are refused with the nearest name; fixed units keep their value")
  func tables() throws {
    try temporaryFolder { folder in
      let path = try writeStatistics(in: folder)
      let good = GainSource.statistics(StatisticsRequest(path: path))
      let table = folder + "/bounds.csv"
      try "name,lower,upper\nnet.2,1,2\nmet.3,0,1\n".write(
        toFile: table, atomically: true, encoding: .utf8)
      var request = allocate(good, folder + "/plan.json")
      request.bounds.table = table
      #expect {
        _ = try request.run(over: SoloCollective())
      } throws: { error in
        "\(error)".contains("\"met.3\"") && "\(error)".contains("did you mean \"net.3\"?")
      }
      try "name,lower,upper\nnet.2,1,2\n".write(toFile: table, atomically: true, encoding: .utf8)
      request.bounds.fixed = [#"net\.4$=3"#]
      let plan = try #require(try request.run(over: SoloCollective())).plan
      #expect(plan.units.map(\.lower) == [0, 0, 1, 0, 3])
      #expect(plan.units[4].continuous == 3 && plan.units[4].integer == 3)
      #expect(plan.inputs["bounds"] != nil)
    }
  }

  @Test("The run file tells ranks, allreduces and slices")
  func runFile() throws {
    try temporaryFolder { folder in
      let path = try writeStatistics(in: folder)
      let request = prune(
        .statistics(StatisticsRequest(path: path)), folder + "/plan.json")
      let results = try ThreadedCollective.run(ranks: 3) { world throws(Failure) in
        try request.run(over: world)?.run
      }
      let run = try #require(results[0])
      #expect(results[1] == nil && results[2] == nil)
      #expect(run.ranks == 3)
      #expect(run.slices.map(\.rank) == [0, 1, 2])
      #expect(run.slices.reduce(0) { $0 + $1.modules } == 12)
      #expect((run.search?.allreduces ?? 0) > (run.search?.stages.count ?? 0))
      #expect(names(in: folder).contains("plan.run.json"))
    }
  }

  @Test("A dry run covers every module once")
  func dryRun() throws {
    try temporaryFolder { folder in
      let request = StatisticsRequest(path: try writeStatistics(in: folder))
      let plans = try ThreadedCollective.run(ranks: 4) { world throws(Failure) in
        try DryRun.of(request, over: world)
      }
      #expect(plans.allSatisfy { $0 == plans[0] })
      #expect(plans[0].ranks.reduce(0) { $0 + $1.modules } == 12)
      #expect(plans[0].imbalance >= 1)
    }
  }

  @Test("Inspect recognises statistics, scores and plans")
  func inspection() throws {
    try temporaryFolder { folder in
      let path = try writeStatistics(in: folder)
      let statistics = StatisticsRequest(path: path)
      let (scores, plan) = (folder + "/scores.json", folder + "/plan.json")
      _ = try ScoreRequest(statistics: statistics, output: scores).run(over: SoloCollective())
      _ = try prune(.scores(path: scores), plan).run(over: SoloCollective())
      for (path, kind, rows) in [
        (path, "statistics of 12 modules", 12), (scores, "scores of 5 units", 5),
        (plan, "pruning plan of 5 units", 5),
      ] {
        let seen = try #require(
          try Inspection.of(SurveyRequest(path: path), over: SoloCollective()))
        #expect(seen.kind == kind)
        #expect(seen.rows.count == rows)
        #expect(seen.rows.allSatisfy { $0.count == seen.columns.count })
      }
    }
  }

  @Test(
    "Numbers in tables are short and right",
    arguments: [
      (0.0, "0"), (1.0, "1.000"), (12.345, "12.35"), (0.01234, "0.0123"), (1234.56, "1234.6"),
      (1e7, "1.000e+07"), (-9.9999e-9, "-1.000e-08"), (.infinity, "inf"), (99999.0, "99999.0"),
    ])
  func numbers(value: Double, text: String) {
    #expect(NumberText.short(value) == text)
  }

  @Test("Digits are grouped by three")
  func grouping() {
    let texts = [0, 999, 1000, -1_234_567].map(NumberText.grouped)
    #expect(texts == ["0", "999", "1,000", "-1,234,567"])
  }
}
