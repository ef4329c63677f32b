import Exports
import PlanFiles
import TestSupport
import Testing

@Suite("Exports of capacity")
struct CapacityExportTests {
  @Test("Every module keeps its rank, and alpha over rank is one number")
  func adapter() throws {
    let plan = try ranks([("m.layers.10.q", 3), ("m.layers.1.q", 8), ("m.layers.2.q", 0)])
    var settings = ExportSettings()
    settings.alphaPerRank = 1.5
    let adapter = try Adapter(try ExportFormat.peft.text(plan, settings))
    #expect(adapter.rank == 8 && adapter.alpha == 12)
    #expect(adapter.modules == ["m.layers.1.q", "m.layers.10.q"])
    #expect(adapter.ranks == [#"m\.layers\.1\.q"#: 8, #"m\.layers\.10\.q"#: 3])
    #expect(adapter.alphas == [#"m\.layers\.1\.q"#: 12, #"m\.layers\.10\.q"#: 4.5])
    #expect(adapter.parameters == nil)
  }

  @Test("Everything that means something in a pattern is escaped, and nothing else")
  func escaping() throws {
    let name = "a.b+c*(d)[0]{1}^$|?-_é"
    let adapter = try Adapter(try ExportFormat.peft.text(try ranks([(name, 2)])))
    let key = try #require(adapter.ranks.keys.first)
    #expect(key == #"a\.b\+c\*\(d\)\[0\]\{1\}\^\$\|\?-_é"#)
    #expect(name.wholeMatch(of: try Regex(key)) != nil)
    #expect("axb+c*(d)[0]{1}^$|?-_é".wholeMatch(of: try Regex(key)) == nil)
  }

  @Test("A plan that counts something else is exported with a note")
  func counted() throws {
    func notes(_ format: ExportFormat, _ unit: String?) throws -> [String] {
      let counted = unit.map { #","parameters":{"unit":"\#($0)"}"# } ?? ""
      let plan = try plan("capacity", [#"{"name":"model.layers.0","integer":4}"#], extra: counted)
      return try format.export(plan, checkpoint: nil, settings: ExportSettings()).notes
        .filter { $0.contains("the plan counts") }
    }
    #expect(try notes(.peft, "slots").count == 1 && notes(.mola, "rank").count == 1)
    #expect(try notes(.peft, "rank").isEmpty && notes(.mola, "slots").isEmpty)
    #expect(try notes(.peft, nil).isEmpty && notes(.csv, "bytes").isEmpty)
  }

  @Test("Each module of a unit gets the unit's rank")
  func blocks() throws {
    let plan = try plan(
      "capacity", [#"{"name":"b.0","integer":4,"modules":["b.0.q","b.0.k"]}"#])
    let adapter = try Adapter(try ExportFormat.peft.text(plan))
    #expect(adapter.ranks == [#"b\.0\.q"#: 4, #"b\.0\.k"#: 4])
  }

  @Test("A name that is the end of another would match both and is refused")
  func ambiguous() throws {
    let told = refusal(.peft, try ranks([("layers.1.q", 2), ("vision.layers.1.q", 4)]))
    #expect(told.contains("\"layers.1.q\" matches 2 modules"), "\(told)")
    // Not an end after a dot: no confusion.
    _ = try ExportFormat.peft.text(try ranks([("layers.1.q", 2), ("vision_layers.1.q", 4)]))
  }

  @Test("Slices of one tensor are targeted through it, and must agree")
  func fusedExperts() throws {
    func experts(_ first: Int, _ second: Int) throws -> PlanOutline {
      try ranks(
        [("p.experts.0", first), ("p.experts.1", second)].flatMap { name, rank in
          [("\(name).gate_up_proj", rank), ("\(name).down_proj", rank)]
        } + [("p.gate", 2)])
    }
    let adapter = try Adapter(try ExportFormat.peft.text(try experts(4, 4)))
    #expect(adapter.modules == ["p.gate"])
    #expect(adapter.parameters == ["p.experts.down_proj", "p.experts.gate_up_proj"])
    #expect(adapter.ranks[#"p\.experts\.gate_up_proj"#] == 4)
    let told = refusal(.peft, try experts(4, 2))
    #expect(told.contains("p.experts.down_proj") && told.contains("4 and 2"), "\(told)")
    // Experts that are modules of their own may differ.
    let own = try ranks([("p.experts.0.w1", 4), ("p.experts.1.w1", 2)])
    #expect(try Adapter(try ExportFormat.peft.text(own)).modules.count == 2)
  }

  @Test(
    "What peft could not say is refused",
    arguments: [
      (#"{"name":"a"}"#, "--integer"), (#"{"name":"a","integer":0}"#, "nothing to adapt"),
      (#"{"name":"a","integer":-1}"#, "negative"),
      (#"{"name":"a","integer":1},{"name":"a","integer":1}"#, "listed twice"),
      (
        #"{"name":"a","integer":1,"modules":["x"]},{"name":"b","integer":1,"modules":["x"]}"#,
        "\"x\""
      ),
      (#"{"name":"a","integer":1,"modules":[]}"#, "empty list"),
      (#"{"name":"a","integer":1,"continuous":-0.5}"#, "-0.5"), ("", "holds no unit"),
      // "é" in one scalar and in two: one key to a JSON reader.
      (#"{"name":"\u00e9","integer":1},{"name":"e\u0301","integer":1}"#, "looks the same"),
    ])
  func refused(units: String, hint: String) throws {
    let told = refusal(.peft, try plan("capacity", units.isEmpty ? [] : [units]))
    #expect(told.contains(hint), "\(told)")
  }

  @Test("Lists are in the order of the layers' numbers")
  func lists() throws {
    let counts = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]
    let named = counts.enumerated().map { (name: "model.layers.\($0.offset)", rank: $0.element) }
    let plan = try ranks(named.sorted { $0.name < $1.name })
    var settings = ExportSettings()
    settings.topK = 3
    #expect(
      try ExportFormat.mola.text(plan, settings)
        == "number_experts=\"3,1,4,1,5,9,2,6,5,3,5,8\"\ntop_k=\"3,1,3,1,3,3,2,3,3,3,3,3\"\n")
    #expect(
      try ExportFormat.deepspeed.text(plan)
        == "--num-experts 3 1 4 1 5 9 2 6 5 3 5 8 --expert-interval 1\n")
  }

  @Test("DeepSpeed's interval is told from the numbers, and other gaps are refused")
  func intervals() throws {
    let every2 = try ranks([("l.1.mlp", 4), ("l.3.mlp", 2), ("l.5.mlp", 8)])
    #expect(try ExportFormat.deepspeed.text(every2) == "--num-experts 4 2 8 --expert-interval 2\n")
    #expect(refusal(.mola, every2).contains("where block 0 belongs"))
    for names in [["l.0", "l.2"], ["l.1", "l.4"], ["l.0", "l.1", "l.3"]] {
      let told = refusal(.deepspeed, try ranks(names.map { ($0, 2) }))
      #expect(told.contains("blocks are missing"), "\(told)")
    }
  }

  @Test("What is no block, or no expert, has no place in a list")
  func noBlocks() throws {
    #expect(
      refusal(.mola, try ranks([("l.0", 2), ("lm_head", 2)])).contains("\"lm_head\" is no block"))
    #expect(refusal(.mola, try ranks([("a.0", 2), ("b.1", 2)])).contains("one sequence"))
    #expect(refusal(.mola, try ranks([("l.0.q", 2), ("l.0.k", 2)])).contains("one sequence"))
    #expect(refusal(.deepspeed, try ranks([("l.0", 2), ("l.1", 0)])).contains("--min 1"))
  }

  @Test("A plan of the other program is refused with the formats that fit it")
  func otherProgram() throws {
    let pruning = try removals([("l.0", 1, 2)])
    for format in [ExportFormat.peft, .mola, .deepspeed] {
      #expect(refusal(format, pruning).contains("--to rho, owl, llm-compressor, evopress or csv"))
    }
    for format in [ExportFormat.rho, .owl, .compressor, .evopress] {
      #expect(
        refusal(format, try ranks([("l.0", 1)])).contains("--to peft, mola, deepspeed or csv"))
    }
  }
}
