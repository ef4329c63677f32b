import Testing
import Workflow

@Suite("Budgets as users say them")
struct CapacityBudgetTests {
  @Test(
    "Numbers, prefixes and units",
    arguments: [
      ("160", 160, .costs), ("1e6", 1e6, .costs), ("2.5k", 2500, .costs),
      ("160 slots", 160, .slots),
      ("1 slot", 1, .slots), ("512 GiB", 512 * 0x1p30, .bytes), ("512GiB", 512 * 0x1p30, .bytes),
      ("1.5 GB", 1.5e9, .bytes), ("4096 bytes", 4096, .bytes), ("40M parameters", 4e7, .parameters),
      ("7B parameters", 7e9, .parameters), ("3 G Bytes", 3e9, .bytes), ("256 ranks", 256, .ranks),
    ] as [(String, Double, CapacityBudget.Measure)])
  func amounts(text: String, amount: Double, measure: CapacityBudget.Measure) throws {
    #expect(try CapacityBudget(text) == .amount(amount, measure))
  }

  @Test("A share of the nodes' memory")
  func nodes() throws {
    #expect(try CapacityBudget("nodes:0.9") == .nodeMemory(share: 0.9))
  }

  @Test(
    "What could mean two things, or nothing, is refused with its text",
    arguments: [
      "", "many", "-3", "0", "inf", "nan", "7B", "512 gib", "12 potatoes", "1 M slots more",
      "nodes:", "nodes:0", "nodes:1.1", "nodes:x", "1e400",
    ])
  func refusals(text: String) {
    let failure = #expect(throws: Failure.self) { try CapacityBudget(text) }
    #expect(failure?.code == .usage && failure?.message.hasPrefix("--budget \(text): ") == true)
  }

  @Test(
    "What does not buy the capacity, or lacks a cost, is refused before anything is read",
    arguments: [
      (.slots, "64 ranks"), (.slots, "1 GB"), (.slots, "1M parameters"), (.rank, "160"),
      (.rank, "160 slots"), (.bytes, "160 slots"), (.bytes, "1M parameters"),
    ] as [(CapacityKind, String)])
  func mismatches(kind: CapacityKind, text: String) throws {
    var measure = CapacityMeasure(budget: try CapacityBudget(text))
    measure.kind = kind
    let failure = #expect(throws: Failure.self) { try measure.validate() }
    #expect(failure?.code == .usage && failure?.message.contains("--unit \(kind.rawValue)") == true)
  }

  @Test(
    "What fits is accepted",
    arguments: [
      (.slots, "160", nil), (.slots, "1 GB", .uniform(5e6)), (.rank, "9M parameters", nil),
      (.rank, "9 MB", nil), (.rank, "64 ranks", nil), (.rank, "160", .table("costs.csv")),
      (.bytes, "1 GB", nil), (.bytes, "nodes:1", nil),
    ] as [(CapacityKind, String, CostRequest?)])
  func matches(kind: CapacityKind, text: String, cost: CostRequest?) throws {
    var measure = CapacityMeasure(budget: try CapacityBudget(text))
    measure.kind = kind
    measure.cost = cost ?? .automatic
    try measure.validate()
  }
}
