import Foundation
import PlanFiles
import TestSupport
import Testing

@Suite("Documents")
struct DocumentTests {
  private func unit(_ generator: inout SeededGenerator, _ index: Int) -> PlanDocument.Unit {
    PlanDocument.Unit(
      name: "layer.\(index) \"é\"\n", gain: generator.logNormal(scale: 20),
      quality: generator.uniform(), continuous: generator.logNormal(scale: 5),
      integer: index.isMultiple(of: 2) ? index : nil, lower: 0,
      upper: index.isMultiple(of: 3) ? .infinity : generator.uniform(in: 1...2), cost: 1 / 3,
      weights: nil)
  }

  private func plan(_ generator: inout SeededGenerator) -> PlanDocument {
    PlanDocument(
      program: .capacity,
      parameters: ["alpha": .number(0.1 + 0.2), "integer": .flag(true), "utility": .text("log")],
      price: generator.logNormal(scale: 30), budget: 1e300, spent: .leastNonzeroMagnitude,
      spentInteger: nil,
      units: (0..<7).map { unit(&generator, $0) },
      certificate: PlanDocument.Certificate(
        primal: -1.5, dual: -2, gap: generator.normal() * 1e-17, kktResidual: 0,
        stationarityResidual: 0, feasibilityResidual: 0, complementarityResidual: 0, budgetLeft: 1,
        integerBudgetLeft: nil, integralityGap: 0.1, unitsAtLower: 1, unitsAtUpper: 2),
      inputs: ["scores": InputFingerprint(bytes: 3, headers: nil, contents: "00ff")],
      notes: ["a", "b"])
  }

  @Test("A plan survives its file in every bit")
  func roundTrip() throws {
    try forEachCase(seed: 71, cases: 200) { generator, _ in
      let plan = plan(&generator)
      let bytes = try DocumentCoding.encode(plan)
      let read = try DocumentCoding.decode(PlanDocument.self, from: bytes, source: "plan.json")
      try require(read == plan, "a plan changed on its way")
      try require(try DocumentCoding.encode(read) == bytes, "the bytes changed")
    }
  }

  @Test("Keys are sorted, no bound is null, and the file ends in a line feed")
  func layout() throws {
    var generator = SeededGenerator(seed: 72)
    let text = String(decoding: try DocumentCoding.encode(plan(&generator)), as: UTF8.self)
    #expect(text.hasSuffix("}\n"))
    #expect(text.contains("\"upper\" : null"))
    #expect(text.contains("\"at_bound\" : null"))
    let top = [
      "budget", "certificate", "format", "inputs", "notes", "parameters", "price", "program",
    ]
    let places = top.compactMap { text.range(of: "\n  \"\($0)\" :")?.lowerBound }
    #expect(places.count == top.count && places == places.sorted())
  }

  @Test("A unit at a bound says at which")
  func atBound() {
    func bound(_ x: Double) -> String? {
      PlanDocument.Unit(
        name: "u", gain: 1, quality: 1, continuous: x, integer: nil, lower: 1, upper: 3, cost: 1,
        weights: nil
      ).atBound
    }
    #expect(bound(1) == "lower")
    #expect(bound(2) == nil)
    #expect(bound(3) == "upper")
  }

  @Test("Scores of another method need only names and gains")
  func foreignScores() throws {
    let text = #"{"format":"layerbudget.scores/1","units":[{"name":"a","gain":0.5}]}"#
    let scores = try DocumentCoding.decode(
      ScoresDocument.self, from: Array(text.utf8), source: "s.json")
    #expect(scores.curvature == "external")
    #expect(scores.units[0].gain == 0.5)
    #expect(scores.units[0].parameters == 0)
  }

  @Test("What is missing or of the wrong type is named with its place")
  func decodingErrors() {
    for (text, hint) in [
      (#"{"format":"x","units":[{"name":"a"}]}"#, ".units[0] has no \"gain\""),
      (#"{"format":"x","units":[{"name":"a","gain":"much"}]}"#, ".units[0].gain is not of type"),
      (#"{"units":[]}"#, "format"), ("[1, 2", "s.json"), ("", "s.json"),
    ] {
      #expect {
        _ = try DocumentCoding.decode(
          ScoresDocument.self, from: Array(text.utf8), source: "s.json")
      } throws: { error in
        "\(error)".contains(hint) && "\(error)".hasPrefix("s.json: ")
      }
    }
  }
}
