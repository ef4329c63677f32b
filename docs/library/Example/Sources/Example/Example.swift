import Allocation
import Curvature

@main
struct Example {
  static func main() throws {
    let statistics = try Statistics(path: CommandLine.arguments[1])
    let blocks = try UnitSelection(grouping: .block).units(of: statistics.modules)
    var computer = GainComputer(statistics: statistics, options: GainOptions(rule: .plain))
    var gains: [GainedUnit] = []
    for block in blocks {
      var sum = 0.0
      for module in block.modules { sum += try computer.gain(of: module).gain }
      gains.append(GainedUnit(gain: sum, parameters: Double(block.parameters)))
    }
    let units = try QualityRule().qualities(of: gains).enumerated().map { index, quality in
      CapacityUnit(index: index, quality: quality, cost: 1, lower: 1, upper: 16)
    }
    let plan = try CapacityProgram(budget: 96).solve(units, wholeNumbers: true)
    for (block, slots) in zip(blocks, plan.integer?.values ?? []) { print(block.name, slots) }
    print("price", plan.price)
  }
}
