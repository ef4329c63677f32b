import PlanFiles

@testable import HTMLReport

/// Plans with answers that are easy to recompute.
func plan(
  _ program: PlanDocument.Program, _ units: [PlanDocument.Unit], budget: Double = 100,
  parameters: [String: ParameterValue] = ["unit": .text("slots")], notes: [String] = []
) -> PlanDocument {
  PlanDocument(
    program: program, parameters: parameters, price: 0.25, budget: budget, spent: budget,
    spentInteger: units.allSatisfy { $0.integer != nil } ? budget : nil, units: units,
    certificate: PlanDocument.Certificate(
      primal: 1, dual: 1, gap: 0, kktResidual: 0, stationarityResidual: 0, feasibilityResidual: 0,
      complementarityResidual: 0, budgetLeft: 0, integerBudgetLeft: 0, integralityGap: 0,
      unitsAtLower: units.count { $0.atBound == "lower" },
      unitsAtUpper: units.count { $0.atBound == "upper" }),
    inputs: ["scores": InputFingerprint(bytes: 12, headers: nil, contents: "0123456789abcdef")],
    notes: notes)
}

/// Slots 1, 2, … and gains in no order of theirs.
func slots(_ count: Int, name: (Int) -> String = { "layers.\($0)" }) -> [PlanDocument.Unit] {
  (0..<count).map { index in
    PlanDocument.Unit(
      name: name(index), gain: Double(1 + index * 7919 % 1000), quality: 1,
      continuous: Double(1 + index * 31 % 97), integer: 1 + index * 31 % 97, lower: 0,
      upper: .infinity, cost: 1, weights: nil)
  }
}

func contents(_ plan: PlanDocument) -> ReportContents {
  ReportContents(plan: plan, price: .unknown("no curve"), version: "test")
}

/// All seven charts.
func everything(units: Int, name: (Int) -> String = { "layers.\($0)" }) -> ReportContents {
  var units = slots(units, name: name)
  units[0].atBound = "upper"
  units[0].boundWorth = 0.125
  var result = ReportContents(
    plan: plan(.capacity, units, notes: ["a <b>note</b>"]),
    price: .known(
      points: [
        .init(price: 0.125, demand: 130), .init(price: 0.25, demand: 100),
        .init(price: 0.5, demand: 60),
      ],
      found: .init(price: 0.25, demand: 100), axis: .price),
    sources: [
      .init(role: "plan", fingerprint: InputFingerprint(bytes: 3, headers: nil, contents: "00ff"))
    ], version: "test")
  result.gradientNorms = units.map { $0.gain / 8 }
  result.run = RunDocument(
    command: "allocate", version: "test", ranks: 2, seconds: 3, scoringSeconds: 1.5,
    searchSeconds: 1, peakBytes: 1000,
    search: RunDocument.Search(
      method: "accelerated", allreduces: 20, trials: 70,
      stages: [
        RunDocument.Stage(purpose: "gamma", rounds: 3, trials: 30),
        RunDocument.Stage(purpose: "price", rounds: 5, trials: 40),
      ]),
    slices: [
      RunDocument.Slice(
        rank: 0, units: 2, modules: 4, operations: 1e9, seconds: 1.5, peakBytes: 1000),
      RunDocument.Slice(
        rank: 1, units: 1, modules: 2, operations: 5e8, seconds: 0.75, peakBytes: 900),
    ])
  result.placement = PlacementDocument(
    parameters: [:],
    nodes: ["<n0>", "n1"].map {
      PlacementDocument.Node(
        name: $0, memoryBytes: 100, devices: 1, deviceMemoryBytes: 100, deviceUsedBytes: [40],
        slotCount: 4, deviceLoads: nil)
    },
    units: units.prefix(3).map {
      PlacementDocument.Unit(
        name: $0.name, bytesPerSlot: 10, slots: [0, 0, 1], devices: [0, 0, 0])
    }, balancedness: nil, inputs: [:], notes: [])
  return result
}

extension ReportPage {
  /// The figure of a chart that must be there.
  func figure(_ chart: ReportChart) -> Figure? {
    if case .drawn(let figure) = outcome(of: chart) { figure } else { nil }
  }
}
