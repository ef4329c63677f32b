import Curvature
import TestSupport
import Testing

@Suite("Modules and units")
struct GroupingTests {
  private let names = [
    "model.layers.10.mlp.up_proj", "model.layers.2.mlp.up_proj", "model.layers.2.attn.q_proj",
    "model.layers.2.mlp.experts.11.w1", "model.layers.2.mlp.experts.3.w1", "lm_head",
  ]

  private func units(_ selection: UnitSelection) throws -> [String: [String]] {
    try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      for name in names { builder.add("\(name).gradient", [1, 1], [1]) }
      try builder.write(to: folder + "/s.safetensors")
      let statistics = try Statistics(path: folder)
      let units = try selection.units(of: statistics.modules)
      #expect(units.map(\.name) == units.map(\.name).sorted { NaturalName($0) < NaturalName($1) })
      return Dictionary(uniqueKeysWithValues: units.map { ($0.name, $0.modules.map(\.name)) })
    }
  }

  @Test("Layer 2 comes before layer 10, and 007 before 8")
  func naturalOrder() {
    let sorted = ["l.10", "l.2", "l.007", "l.8", "k.11", "l", "l.10.b", "l.10.a"].sorted {
      NaturalName($0) < NaturalName($1)
    }
    #expect(sorted == ["k.11", "l", "l.2", "l.007", "l.8", "l.10", "l.10.a", "l.10.b"])
    #expect(NaturalName("e\u{301}") != NaturalName("\u{e9}"))
  }

  @Test("Natural order is total and agrees with the bytes of equal names")
  func orderIsTotal() throws {
    let pieces = ["a", "1", "01", "10", ".", "b2", ""]
    try forEachCase(seed: 61, cases: 500) { generator, _ in
      func name() -> NaturalName {
        NaturalName((0..<3).map { _ in pieces[generator.integer(in: 0...6)] }.joined())
      }
      let (a, b, c) = (name(), name(), name())
      try require((a < b ? 1 : 0) + (b < a ? 1 : 0) + (a == b ? 1 : 0) == 1, "\(a) and \(b)")
      try require(!(a < b && b < c) || a < c, "\(a), \(b), \(c)")
    }
  }

  @Test("Blocks, modules, experts and expressions group as they say")
  func groupings() throws {
    let blocks = try units(UnitSelection())
    #expect(blocks.keys.sorted() == ["lm_head", "model.layers.10", "model.layers.2"])
    #expect(blocks["model.layers.2"]?.count == 4)
    #expect(try units(UnitSelection(grouping: .module)).count == 6)
    let experts = try units(UnitSelection(grouping: .expert))
    #expect(experts["model.layers.2.mlp.experts.3"] == ["model.layers.2.mlp.experts.3.w1"])
    #expect(experts["model.layers.2"]?.count == 2)
    let projections = try units(UnitSelection(grouping: .pattern(#"\.(\w+_proj)$"#)))
    #expect(projections["up_proj"]?.count == 2)
    #expect(projections["lm_head"] == ["lm_head"])
  }

  @Test("Include and exclude choose modules by expression")
  func choices() throws {
    let kept = try units(UnitSelection(grouping: .module, include: "layers", exclude: "experts"))
    #expect(kept.keys.sorted().count == 3)
  }

  @Test("Damping is read from text, and from nothing else")
  func dampingText() {
    #expect(Damping("relative:0.5") == .relative(0.5))
    #expect(Damping("absolute:1e-3") == .absolute(1e-3))
    for text in [
      "", "0.1", "relative", "relative:", "relative:-1", "relative:nan", "half:1", "a:b:c",
    ] {
      #expect(Damping(text) == nil, "\(text)")
    }
    #expect(Damping("\(Damping.relative(0.25))") == .relative(0.25))
  }
}
