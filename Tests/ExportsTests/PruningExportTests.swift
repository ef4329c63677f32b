import Exports
import Foundation
import PlanFiles
import TestSupport
import Testing

@Suite("Exports of pruning")
struct PruningExportTests {
  @Test("The authors' totals are numbers of weights, of unequal blocks too")
  func rho() throws {
    struct Rho: Decodable {
      let shares: [Double]
      let target: Double
      let computed: Double
      let weights: Int
      let minmax: [Double]
      let lambda: Double
      enum CodingKeys: String, CodingKey {
        case minmax, lambda
        case shares = "rho_l"
        case target = "target_sparsity"
        case computed = "computed_sparsity"
        case weights = "total_params"
      }
    }
    let plan = try plan(
      "pruning",
      [
        #"{"name":"l.1","continuous":0.25,"integer":25,"weights":100,"upper":null}"#,
        #"{"name":"l.0","continuous":0.75,"integer":30,"weights":40,"upper":0.9}"#,
      ], extra: #","price":-2.5,"budget":56"#)
    let read = try JSONDecoder().decode(
      Rho.self, from: Data(try ExportFormat.rho.text(plan).utf8))
    #expect(read.shares == [0.75, 0.25] && read.minmax == [0.9, 1] && read.lambda == -2.5)
    #expect(read.target == 56 && read.computed == 55 && read.weights == 140)
  }

  @Test("Ratios that differ in a block come in the model's order, where that is known")
  func owl() throws {
    let modules = ["mlp.down_proj", "mlp.gate_proj", "mlp.up_proj", "attn.k_proj", "attn.v_proj"]
    let units = (0..<2).flatMap { block in
      modules.enumerated().map {
        (name: "l.\(block).\($1)", removed: $0 + 10 * block, weights: 100)
      }
    }
    #expect(
      try ExportFormat.owl.text(try removals(units))
        == "[0.03, 0.04, 0.01, 0.02, 0.0, 0.13, 0.14, 0.11, 0.12, 0.1]\n")
    let strange = units.map { (name: $0.name + "x", removed: $0.removed, weights: 100) }
    #expect(refusal(.owl, try removals(strange)).contains("which order"))
    let equal = strange.map { (name: $0.name, removed: 7, weights: 100) }
    #expect(try ExportFormat.owl.text(try removals(equal)).contains("0.07, 0.07"))
  }

  @Test("A list without names takes no gaps, no unequal blocks and no blocks of unknown size")
  func owlRefusals() throws {
    func told(_ names: [String]) throws -> String {
      refusal(.owl, try removals(names.map { ($0, 1, 2) }))
    }
    #expect(try told(["l.0.q", "l.2.q"]).contains("block 1 has no module"))
    #expect(try told(["l.0.q", "l.0.k", "l.1.q"]).contains("block 1 has 1 modules"))
    #expect(try told(["l.0", "l.1"]).contains("--checkpoint DIR"))
    #expect(try told(["l.0.q", "lm_head"]).contains("\"lm_head\" is in no numbered block"))
    #expect(try told(["a.0.q", "b.1.q"]).contains("one sequence"))
  }

  @Test("A recipe has a modifier per share and leaves out what keeps its weights")
  func recipe() throws {
    let plan = try removals([("l.0.q", 1, 2), ("l.1.q", 0, 2), ("l.2.q", 1, 2), ("l.10.q", 1, 4)])
    #expect(
      try ExportFormat.compressor.text(plan) == """
        pruning_stage:
          share_0_modifiers:
            SparseGPTModifier:
              sparsity: 0.5
              mask_structure: "0:0"
              targets:
                - 're:(.*\\.)?l\\.0\\.q$'
                - 're:(.*\\.)?l\\.2\\.q$'
          share_1_modifiers:
            SparseGPTModifier:
              sparsity: 0.25
              mask_structure: "0:0"
              targets:
                - 're:(.*\\.)?l\\.10\\.q$'

        """)
  }

  @Test("Patterns become mask structures; a pattern without zeros is left out")
  func patterns() throws {
    let units = [("a", "2:4"), ("b", "0:4"), ("c", "1:4"), ("d's", "2:4")].map { name, pattern in
      #"{"name":"\#(name)","integer":1,"weights":4,"pattern":"\#(pattern)"}"#
    }
    var settings = ExportSettings()
    settings.modifier = .wanda
    let text = try ExportFormat.compressor.text(try plan("pruning", units), settings)
    #expect(text.contains("WandaPruningModifier") && !text.contains("re:(.*\\.)?b$"))
    #expect(text.contains("mask_structure: \"1:4\"") && text.contains("sparsity: 0.25"))
    #expect(text.contains("'re:(.*\\.)?d''s$'"))
    let broken = try plan(
      "pruning", [#"{"name":"a","integer":1,"weights":4,"pattern":"5:4"}"#])
    #expect(refusal(.compressor, broken).contains("\"5:4\" is not N:M"))
  }

  @Test("What a modifier cannot do is refused")
  func recipeRefusals() throws {
    let whole = try removals([("a", 2, 2)])
    #expect(refusal(.compressor, whole).contains("--method wanda"))
    var wanda = ExportSettings()
    wanda.modifier = .wanda
    #expect(try ExportFormat.compressor.text(whole, wanda).contains("sparsity: 1.0"))
    #expect(refusal(.compressor, try removals([("a", 0, 2)])).contains("nothing to prune"))
    let fused = try removals([("p.experts.0.gate_up_proj", 1, 2)])
    #expect(refusal(.compressor, fused).contains("slice of the tensor \"p.experts.gate_up_proj\""))
    #expect(
      refusal(.owl, fused).contains("slice") && refusal(.evopress, fused).contains("level-step"))
  }

  @Test("Levels never remove more than the plan, nor a whole step less")
  func levelsKeepTheTotal() throws {
    try forEachCase(seed: 91, cases: 300) { generator, _ in
      let step = 10 + Int(generator.uniform() * 30)
      let units = (0..<12).map { index in
        let weights = 1000 + Int(generator.uniform() * 3000)
        // Within the database's reach: 8 levels around one half.
        let reach = Double(8 * step) / Double(weights) * (2 * generator.uniform() - 1) * 0.99
        return (
          name: "l.\(index).q", removed: Int(Double(weights) * (0.5 + reach)), weights: weights
        )
      }
      var settings = ExportSettings()
      settings.database = EvoPressDatabase(sparsity: nil, step: step, levels: 9)
      let text = try ExportFormat.evopress.text(try removals(units), settings)
      var removed = 0.0
      for (line, unit) in zip(text.split(separator: "\n"), units) {
        let parts = line.split(separator: ":")
        let level = Double(parts[1].dropFirst()) ?? .nan
        let own = 0.5 * Double(unit.weights) + level * Double(step)
        try require(parts[0] == unit.name, "\(line) is not of \(unit.name)")
        try require(abs(own - Double(unit.removed)) < Double(step), "\(line) is a step off")
        removed += own
      }
      let planned = Double(units.reduce(0) { $0 + $1.removed })
      try require(removed <= planned + 1e-3, "\(removed) of \(planned)")
      try require(removed > planned - Double(step) - 1e-3, "\(removed) of \(planned)")
    }
  }

  @Test("Shares beyond the database are refused, and exact levels are kept")
  func levelBounds() throws {
    var settings = ExportSettings()
    settings.database = EvoPressDatabase(sparsity: 0.5, step: 100, levels: 3)
    let text = try ExportFormat.evopress.text(
      try removals([("a", 200, 1000), ("b", 800, 1000), ("c", 500, 1000)]), settings)
    #expect(text == "a: -3\nb: 3\nc: 0\n")
    for removed in [199, 801] {
      let told = refusal(.evopress, try removals([("a", removed, 1000)]), settings)
      #expect(told.contains("\(Double(removed) / 1000)") && told.contains("to 0.8;"), "\(told)")
    }
    let block = try plan(
      "pruning", [#"{"name":"a","integer":1,"weights":4,"modules":["x","y"]}"#])
    #expect(refusal(.evopress, block, settings).contains("--checkpoint DIR"))
    settings.database?.sparsity = nil
    let bare = try plan("pruning", [#"{"name":"a","integer":1,"weights":4}"#])
    #expect(refusal(.evopress, bare, settings).contains("--level-sparsity"))
  }

  @Test("A table quotes what needs it and leaves open what the plan does not say")
  func table() throws {
    let plan = try plan(
      "pruning",
      [#"{"name":"a,\"b\"","integer":1,"weights":4}"#, #"{"name":"c","continuous":0.1}"#])
    #expect(
      try ExportFormat.csv.text(plan)
        == "name,gain,quality,continuous,integer,lower,upper,cost,weights,pattern,at_bound\n"
        + #""a,""b""",,,,1,,,,4,,"# + "\nc,,,0.1,,,,,,,\n")
  }

  @Test(
    "Answers out of range are refused",
    arguments: [
      (#"{"name":"a","continuous":1.5}"#, "1.5"),
      (#"{"name":"a","integer":5,"weights":4}"#, "5 of 4"),
      (#"{"name":"a","integer":0,"weights":0}"#, "at least one"),
      (#"{"name":"a","integer":3}"#, "\"weights\""),
    ])
  func refused(unit: String, hint: String) throws {
    let told = refusal(.compressor, try plan("pruning", [unit]))
    #expect(told.contains(hint), "\(told)")
  }
}
