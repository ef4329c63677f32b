import Collectives
import Curvature
import PlanFiles
import TestSupport
import Testing
import Workflow

/// What a reader of scores and plans is told about the input, on any number of ranks.
@Suite("Notes on scores")
struct NotesTests {
  private func scores(
    ranks: Int = 1, options: GainOptions = GainOptions(), grouping: UnitGrouping = .block,
    _ build: (inout StatisticsBuilder) -> Void
  ) throws -> ScoresDocument {
    try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      build(&builder)
      try builder.write(to: folder + "/s.safetensors")
      var request = StatisticsRequest(path: folder)
      request.options = options
      request.selection.grouping = grouping
      let score = ScoreRequest(statistics: request, output: folder + "/scores.json")
      let documents = try ThreadedCollective.run(ranks: ranks) { world throws(Failure) in
        try score.run(over: world)
      }
      return try #require(documents.compactMap { $0 }.first)
    }
  }

  private func add(
    _ name: String, _ builder: inout StatisticsBuilder, _ generator: inout SeededGenerator,
    _ change: (inout ModuleValues) -> Void = { _ in }
  ) {
    var values = ModuleValues(outputs: 3, inputs: 4, &generator)
    change(&values)
    builder.add("\(name).gradient", [3, 4], values.gradient)
    builder.add("\(name).activation_covariance", [4, 4], values.activation)
    builder.add("\(name).gradient_covariance", [3, 3], values.output)
  }

  @Test("Negative eigenvalues beyond rounding are counted over all ranks", arguments: [1, 2, 3])
  func clamped(ranks: Int) throws {
    var generator = SeededGenerator(seed: 92)
    let document = try scores(ranks: ranks, options: GainOptions(kind: .kronecker)) { builder in
      for layer in 0..<5 {
        add("l.\(layer).w", &builder, &generator) {
          // Positive on the diagonal, with one eigenvalue of −1 where asked for.
          if layer < 2 { $0.output = [1, 2, 0, 2, 1, 0, 0, 0, 1] }
        }
      }
    }
    #expect(document.notes.contains { $0.contains("2 of 5 modules have factors with negative") })
    let details = document.units.flatMap(\.modulesDetail)
    #expect(details.map(\.clampedEigenvalues) == [1, 1, 0, 0, 0])
    #expect(abs((details[0].clampedRatio ?? 0) - 1.0 / 3) < 1e-12)
  }

  @Test("A fall back to double is told, and only where single was asked for")
  func fallback() throws {
    func notes(_ precision: Precision, _ kind: CurvatureKind) throws -> [String] {
      var generator = SeededGenerator(seed: 93)
      return try scores(
        ranks: 2, options: GainOptions(kind: kind, damping: .absolute(1e-7), precision: precision)
      ) { add("l.0.w", &$0, &generator) }.notes
    }
    #expect(try notes(.single, .kronecker).contains { $0.contains("1 of 1 modules") })
    #expect(try notes(.double, .kronecker).isEmpty)
    // The same damping, divided between two well-conditioned factors, is no trouble for single.
    #expect(try notes(.single, .kfac).isEmpty)
  }

  @Test("A bias without curvature, modules outside of every block and predicted noise are told")
  func input() throws {
    var generator = SeededGenerator(seed: 94)
    let document = try scores { builder in
      builder.metadata["num_samples"] = "4"
      builder.metadata["num_tokens"] = "400"
      add("l.0.w", &builder, &generator)
      add("head", &builder, &generator)
      builder.add("l.0.w.bias_gradient", [3], [1, 2, 3])
    }
    #expect(document.notes.contains { $0.contains("without their bias") && $0.contains("l.0.w") })
    #expect(
      document.notes.contains { $0.contains("outside of every group") && $0.contains("head") })
    #expect(document.notes.contains { $0.contains("predicted to be sampling noise") })
    let unit = try #require(document.units.first)
    #expect((unit.predictedNoise ?? 0) > unit.gain / 2)
  }

  @Test("Experts see different numbers of tokens; one that saw none has gain 0 and is a unit")
  func experts() throws {
    var generator = SeededGenerator(seed: 95)
    let document = try scores(options: GainOptions(tokensPerSample: .automatic), grouping: .expert)
    { builder in
      builder.metadata["num_samples"] = "10"
      for (expert, tokens) in [40, 160, 0].enumerated() {
        let name = "model.layers.0.mlp.experts.\(expert).down_proj"
        add(name, &builder, &generator) {
          guard tokens == 0 else { return }
          $0.gradient = .init(repeating: 0, count: 12)
          $0.activation = .init(repeating: 0, count: 16)
          $0.output = .init(repeating: 0, count: 9)
        }
        builder.addCount("\(name).num_tokens", Int64(tokens))
      }
    }
    #expect(document.units.map(\.name).last == "model.layers.0.mlp.experts.2")
    let details = document.units.flatMap(\.modulesDetail)
    #expect(details.map(\.tokens) == [40, 160, 0])
    #expect(details.prefix(2).map(\.tokensPerSample) == [4, 16])
    #expect(document.units[2].gain == 0 && document.units[2].quality == 0)
    #expect(document.units.allSatisfy { $0.gain.isFinite })
  }
}
