import Allocation
import Collectives
import Curvature
import Foundation
import PlanFiles
import TestSupport
import Testing
import Workflow

@Suite("Plans by spectra")
struct SpectrumPlanTests {
  private func writeStatistics(
    in folder: String, _ change: (inout StatisticsBuilder) -> Void = { _ in }
  ) throws -> String {
    var generator = SeededGenerator(seed: 95)
    var builder = StatisticsBuilder()
    for layer in 0..<4 {
      for (name, m, n) in [("a", 3, 4), ("b", 5, 2)] + (layer < 2 ? [("c", 2, 6)] : []) {
        builder.addModule("net.\(layer).\(name)", outputs: m, inputs: n, &generator)
      }
    }
    change(&builder)
    let path = folder + "/statistics.safetensors"
    try builder.write(to: path)
    return path
  }

  private func request(
    _ path: String, _ output: String, grouping: UnitGrouping = .module, budget: Double = 60
  ) -> AllocateRequest {
    var statistics = StatisticsRequest(path: path)
    statistics.selection.grouping = grouping
    statistics.options.precision = .double
    var measure = CapacityMeasure(budget: .amount(budget, .parameters))
    measure.kind = .rank
    var request = AllocateRequest(
      source: .statistics(statistics), measure: measure, output: output)
    request.utility = .spectrum
    return request
  }

  private func plan(_ request: AllocateRequest, ranks: Int = 1) throws -> PlanDocument {
    let plans = try ThreadedCollective.run(ranks: ranks) { world throws(Failure) in
      try request.run(over: world)?.plan
    }
    return try #require(plans[0])
  }

  private func failure(_ request: AllocateRequest) -> Failure? {
    do throws(Failure) {
      _ = try request.run(over: SoloCollective())
      return nil
    } catch {
      return error
    }
  }

  @Test("Plan bytes do not depend on ranks or search", arguments: [true, false])
  func sameBytes(byModule: Bool) throws {
    try temporaryFolder { folder in
      let path = try writeStatistics(in: folder)
      var plans: Set<Data> = []
      for ranks in [1, 2, 3, 4, 7] {
        for method in PriceSearch.Method.allCases {
          let output = "\(folder)/\(ranks)-\(method).json"
          var request = request(path, output, grouping: byModule ? .module : .block)
          request.search = method
          _ = try plan(request, ranks: ranks)
          plans.insert(try Data(contentsOf: URL(fileURLWithPath: output)))
        }
      }
      #expect(plans.count == 1)
    }
  }

  @Test("A rank costs in + out of every module, and no module gets more than its shorter side")
  func costsAndCaps() throws {
    try temporaryFolder { folder in
      let path = try writeStatistics(in: folder)
      let modules = try plan(request(path, folder + "/m.json"))
      #expect(modules.units.map(\.name).prefix(3) == ["net.0.a", "net.0.b", "net.0.c"])
      #expect(modules.units.map(\.cost).prefix(3) == [7, 7, 8])
      #expect(modules.units.map(\.upper).prefix(3) == [3, 2, 2])
      #expect(modules.units.allSatisfy { Double($0.integer ?? -1) <= $0.upper })
      #expect(modules.parameters["utility"] == .text("spectrum"))
      #expect(modules.parameters["cost"] == .text("in + out"))
      #expect(modules.parameters["integer"] == .flag(true))
      let blocks = try plan(request(path, folder + "/b.json", grouping: .block))
      #expect(blocks.units.map(\.cost) == [22, 22, 14, 14])
      #expect(blocks.units.map(\.upper) == [3, 3, 3, 3])
    }
  }

  @Test("A budget for everything takes half of all plain gains away, by any utility")
  func fullRank() throws {
    try temporaryFolder { folder in
      let path = try writeStatistics(in: folder)
      let plan = try plan(request(path, folder + "/plan.json", budget: 1e6))
      let half = plan.units.reduce(0) { $0 + $1.gain / 2 }
      let decreases = try #require(plan.predictedLossDecreases)
      #expect(Set(decreases.keys) == ["spectrum", "log", "uniform"])
      #expect(relativeError(try #require(plan.predictedLossDecrease), half) < 1e-12)
      #expect(relativeError(try #require(decreases["uniform"]), half) < 1e-12)
      #expect(plan.price == 0)
      #expect(plan.notes.contains { $0.contains("the budget does not bind") })
    }
  }

  @Test("The plan predicts no less than the formula and the uniform ranks, up to its gap")
  func comparison() throws {
    try temporaryFolder { folder in
      let path = try writeStatistics(in: folder)
      for budget in [8.0, 20, 37, 60, 90, 140] {
        let plan = try plan(request(path, folder + "/plan.json", budget: budget))
        let decreases = try #require(plan.predictedLossDecreases)
        let own = try #require(plan.predictedLossDecrease)
        #expect(own == decreases["spectrum"])
        let most = own + (try #require(plan.certificate.integralityGap)) + 1e-12
        #expect(try #require(decreases["log"]) <= most)
        #expect(try #require(decreases["uniform"]) <= most)
        let spent = plan.units.reduce(0) { $0 + ($1.cost ?? 0) * Double($1.integer ?? 0) }
        #expect(spent == plan.spentInteger && spent <= budget)
      }
    }
  }

  @Test(
    "What has no spectrum is wrong usage and says what to do; bounds above a module's rank are told"
  )
  func refusals() throws {
    try temporaryFolder { folder in
      let path = try writeStatistics(in: folder)
      var scores = request(path, folder + "/plan.json")
      scores.source = .scores(path: folder + "/scores.json")
      #expect(failure(scores)?.code == .usage)
      #expect(failure(scores)?.message.contains("--statistics PATH") == true)
      var diagonal = StatisticsRequest(path: path)
      diagonal.options.kind = .diagonal
      var other = request(path, folder + "/plan.json")
      other.source = .statistics(diagonal)
      #expect(failure(other)?.code == .usage)
      #expect(failure(other)?.message.contains("kfac or identity") == true)
      var slots = request(path, folder + "/plan.json")
      slots.measure = CapacityMeasure(budget: .amount(60, .costs))
      #expect(failure(slots)?.code == .usage)
      #expect(failure(slots)?.message.contains("--unit rank") == true)
      var bounded = request(path, folder + "/plan.json")
      bounded.bounds.minimum = 3
      #expect(failure(bounded)?.code == .badData)
      #expect(failure(bounded)?.message.contains("0 to 2") == true)
      bounded.bounds.minimum = 1
      bounded.measure.budget = .amount(20, .parameters)
      #expect(failure(bounded)?.code == .infeasible)
    }
  }

  @Test("Folds of noise alone are told, on any number of ranks", arguments: [1, 3])
  func noise(ranks: Int) throws {
    try temporaryFolder { folder in
      func notes(noise: Double) throws -> [String] {
        var generator = SeededGenerator(seed: 96)
        var builder = StatisticsBuilder()
        for layer in 0..<4 {
          var values = ModuleValues(outputs: 6, inputs: 7, &generator)
          let folds = (0..<4).map { _ in
            values.gradient.map { $0 * 0.1 + noise * generator.normal() }
          }
          values.gradient = (0..<42).map { p in folds.reduce(0) { $0 + $1[p] } / 4 }
          builder.add("l.\(layer).w.gradient", [6, 7], values.gradient)
          builder.add("l.\(layer).w.gradient_folds", [4, 6, 7], folds.flatMap { $0 })
          builder.add("l.\(layer).w.activation_covariance", [7, 7], values.activation)
          builder.add("l.\(layer).w.gradient_covariance", [6, 6], values.output)
        }
        let path = folder + "/\(noise).safetensors"
        try builder.write(to: path)
        return try plan(request(path, folder + "/plan.json"), ranks: ranks).notes
      }
      let (loud, quiet) = (try notes(noise: 1), try notes(noise: 0.01))
      #expect(loud.contains { $0.contains("the spectra add up to is sampling noise") }, "\(loud)")
      #expect(!quiet.contains { $0.contains("the spectra add up") }, "\(quiet)")
    }
  }
}
