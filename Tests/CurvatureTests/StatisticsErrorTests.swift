import Curvature
import TestSupport
import Testing

/// Every fault of a statistics file is one sentence that names what is wrong and where.
@Suite("Faulty statistics")
struct StatisticsErrorTests {
  /// The message of the error that opening, grouping or computing raises.
  private func message(
    _ kind: CurvatureKind = .kfac, damping: Damping = .standard, precision: Precision = .single,
    selection: UnitSelection = UnitSelection(), _ build: (inout StatisticsBuilder) -> Void
  ) throws -> String {
    try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      build(&builder)
      let path = folder + "/bad.safetensors"
      try builder.write(to: path)
      do throws(CurvatureError) {
        let statistics = try Statistics(path: path, choosing: selection)
        let units = try selection.units(of: statistics.modules)
        try statistics.requireQuantities(of: kind, in: units)
        var computer = GainComputer(
          statistics: statistics,
          options: GainOptions(
            kind: kind, damping: damping, precision: precision))
        for module in units.flatMap(\.modules) { _ = try computer.gain(of: module) }
      } catch {
        return "\(error)"
      }
      return "no error"
    }
  }

  private func module(_ change: (inout ModuleValues) -> Void) -> ModuleValues {
    var generator = SeededGenerator(seed: 50)
    var values = ModuleValues(outputs: 2, inputs: 3, &generator)
    change(&values)
    return values
  }

  private func expect(_ text: String, names parts: String...) {
    for part in parts { #expect(text.contains(part), "\"\(text)\" does not name \(part)") }
  }

  private func add(_ values: ModuleValues, to builder: inout StatisticsBuilder) {
    builder.add("a.0.w.gradient", [2, 3], values.gradient)
    builder.add("a.0.w.activation_covariance", [3, 3], values.activation)
    builder.add("a.0.w.gradient_covariance", [2, 2], values.output)
    builder.add("a.0.w.fisher_diagonal", [2, 3], values.fisher)
  }

  @Test("A missing factor names the module and what it has")
  func missingFactor() throws {
    let text = try message { $0.add("a.0.w.gradient", [1, 1], [1]) }
    expect(text, names: "a.0.w", ".activation_covariance", "it has gradient")
  }

  @Test("An unknown key suggests the nearest one")
  func unknownKey() throws {
    let text = try message { $0.add("a.0.w.gradiant", [1, 1], [1]) }
    expect(text, names: "a.0.w.gradiant", "did you mean .gradient?")
    let far = try message { $0.add("a.0.w.something_else_entirely", [1, 1], [1]) }
    expect(far, names: "something_else_entirely", "docs/notation.md")
  }

  @Test(
    "Values that are not finite are named with their place",
    arguments: [
      Double.nan, .infinity, -.infinity,
    ])
  func notFinite(value: Double) throws {
    for (key, change) in [
      ("gradient", { $0.gradient[4] = value }),
      ("activation_covariance", { $0.activation[4] = value }),
      ("gradient_covariance", { $0.output[3] = value }),
    ] as [(String, (inout ModuleValues) -> Void)] {
      let text = try message { add(module(change), to: &$0) }
      expect(text, names: "a.0.w.\(key)", "[1, 1]", value.isNaN ? "nan" : "inf", "bad.safetensors")
    }
  }

  @Test("Shapes that do not fit are named with the shape they should have")
  func shapes() throws {
    let covariance = try message {
      $0.add("a.0.w.gradient", [2, 3], [1, 2, 3, 4, 5, 6])
      $0.add("a.0.w.activation_covariance", [2, 2], [1, 0, 0, 1])
    }
    expect(covariance, names: "a.0.w.activation_covariance", "[2, 2]", "[3, 3]")
    let flat = try message { $0.add("a.0.w.gradient", [6], [1, 2, 3, 4, 5, 6]) }
    expect(flat, names: "a.0.w.gradient", "[6]", "[out, in]")
    let folds = try message {
      $0.add("a.0.w.gradient", [1, 2], [1, 2])
      $0.add("a.0.w.gradient_folds", [2, 2, 1], [1, 2, 3, 4])
    }
    expect(folds, names: "a.0.w.gradient_folds", "[S, 1, 2]")
  }

  @Test("A factor that is not symmetric is refused with the difference and the limit")
  func asymmetric() throws {
    let text = try message { add(module { $0.activation[1] += 0.5 }, to: &$0) }
    expect(text, names: "a.0.w.activation_covariance", "not symmetric", "0.5", "limit")
  }

  @Test("A negative diagonal is refused in factors and in the Fisher diagonal")
  func negativeDiagonal() throws {
    let factor = try message { add(module { $0.output[3] = -1 }, to: &$0) }
    expect(factor, names: "a.0.w.gradient_covariance", "[1, 1]", "-1.0", "never negative")
    let fisher = try message(.diagonal) { add(module { $0.fisher[5] = -2 }, to: &$0) }
    expect(fisher, names: "a.0.w.fisher_diagonal", "[1, 2]", "-2.0")
  }

  @Test("A factor not positive definite after damping is refused", arguments: Precision.allCases)
  func notPositiveDefinite(precision: Precision) throws {
    let text = try message(damping: .absolute(1e-30), precision: precision) {
      add(module { $0.activation = [1, 2, 0, 2, 1, 0, 0, 0, 1] }, to: &$0)
    }
    expect(
      text, names: "a.0.w.activation_covariance", "not positive definite", "absolute:1e-30",
      "raise --damping")
    let dense = try message(.dense, damping: .relative(0)) {
      $0.add("a.0.w.gradient", [1, 2], [1, 2])
      $0.add("a.0.w.hessian", [2, 2], [1, 2, 2, 1])
    }
    expect(dense, names: "a.0.w.hessian", "not positive definite", "raise --damping")
  }

  @Test("Aliases must lead somewhere, and only once")
  func aliases() throws {
    let nowhere = try message {
      $0.metadata["alias"] = #"{"a.0.w.activation_covariance": "a.0.v.activation_covariance"}"#
      $0.add("a.0.w.gradient", [1, 1], [1])
    }
    expect(nowhere, names: "a.0.w.activation_covariance", "a.0.v.activation_covariance")
    let twice = try message {
      $0.metadata["alias"] = #"{"a.0.w.gradient": "a.0.v.gradient"}"#
      $0.add("a.0.w.gradient", [1, 1], [1])
      $0.add("a.0.v.gradient", [1, 1], [1])
    }
    expect(twice, names: "\"a.0.w\"", "gradient", "twice")
    let text = try message {
      $0.metadata["alias"] = "w = v"
      $0.add("a.0.w.gradient", [1, 1], [1])
    }
    expect(text, names: "alias", "JSON object")
  }

  @Test(
    "Metadata outside its choices is refused",
    arguments: [
      ("format", "other/2", "layerbudget.statistics/1"), ("normalization", "median", "mean or sum"),
      ("weight_layout", "in_in", "out_in or in_out"), ("num_samples", "many", "whole number"),
      ("num_tokens", "-3", "whole number"),
    ])
  func metadata(key: String, value: String, hint: String) throws {
    let text = try message {
      $0.metadata[key] = value
      $0.add("a.0.w.gradient", [1, 1], [1])
    }
    expect(text, names: key, value, hint)
  }

  @Test("Sums without counts are refused")
  func sumsWithoutCounts() throws {
    let text = try message {
      $0.metadata["normalization"] = "sum"
      $0.add("a.0.w.gradient", [1, 1], [1])
    }
    expect(text, names: "a.0.w", "num_samples", "sum")
  }

  @Test("A module that is left out may be incomplete")
  func excludedIsNotChecked() throws {
    let text = try message(.identity, selection: UnitSelection(exclude: "half")) {
      $0.add("a.0.w.gradient", [1, 1], [1])
      $0.add("a.0.half.activation_covariance", [1, 1], [1])
    }
    #expect(text == "no error")
  }

  @Test("Too many folds and too many samples are refused before anything is allocated")
  func limits() throws {
    let folds = try message(.identity) {
      $0.add("a.0.w.gradient", [1, 1], [1])
      $0.add("a.0.w.gradient_folds", [1025, 1, 1], .init(repeating: 1, count: 1025))
    }
    expect(folds, names: "gradient_folds", "1025", "2 to 1024")
    let samples = try message(.fisher) {
      $0.add("a.0.w.gradient", [1, 1], [1])
      $0.add("a.0.w.token_inputs", [32_767, 1], .init(repeating: 1, count: 32_767))
      $0.add("a.0.w.token_output_gradients", [32_767, 1], .init(repeating: 1, count: 32_767))
    }
    expect(samples, names: "a.0.w", "32767 samples", "32766", "sample_offsets")
  }

  @Test("A curvature of zeros under a gradient, and eigenvectors that are none, are refused")
  func degenerate() throws {
    let flat = try message(.kronecker) {
      $0.add("a.0.w.gradient", [1, 2], [1, 2])
      $0.add("a.0.w.activation_covariance", [2, 2], [0, 0, 0, 0])
      $0.add("a.0.w.gradient_covariance", [1, 1], [0])
    }
    expect(flat, names: "a.0.w", "curvature is 0", "--damping absolute")
    let crooked = try message(.ekfac) {
      $0.add("a.0.w.gradient", [1, 2], [1, 2])
      $0.add("a.0.w.activation_eigenvectors", [2, 2], [1, 0.1, 0, 1])
      $0.add("a.0.w.gradient_eigenvectors", [1, 1], [1])
      $0.add("a.0.w.lambda_matrix", [1, 2], [1, 1])
    }
    expect(crooked, names: "activation_eigenvectors", "not orthonormal", "0.01")
    let negative = try message(.ekfac) {
      $0.add("a.0.w.gradient", [1, 2], [1, 2])
      $0.add("a.0.w.activation_covariance", [2], [1, 1])
      $0.add("a.0.w.gradient_covariance", [1], [1])
      $0.add("a.0.w.lambda_matrix", [1, 2], [1, -1])
    }
    expect(negative, names: "lambda_matrix", "[0, 1]", "-1.0", "never negative")
  }

  @Test("A module without gradient, an empty choice and a bad expression are refused")
  func choices() throws {
    expect(
      try message { $0.add("a.0.w.activation_covariance", [1, 1], [1]) }, names: "a.0.w",
      "no .gradient")
    expect(
      try message(selection: UnitSelection(include: "zzz")) {
        $0.add("a.0.w.gradient", [1, 1], [1])
      },
      names: "zzz", "a.0.w")
    expect(
      try message(selection: UnitSelection(exclude: "((")) {
        $0.add("a.0.w.gradient", [1, 1], [1])
      },
      names: "((", "regular expression")
  }
}
