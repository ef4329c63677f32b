import Allocation
import Collectives
import Testing

@Suite struct PricedDemandTests {
  @Test("At the found price the demand is what the solution spends, and it falls with the price")
  func capacity() throws {
    let units = (0..<9).map {
      CapacityUnit(
        index: $0, quality: Double($0) / 4, cost: Double(1 + $0 % 3), lower: 0, upper: 30)
    }
    for utility in [CapacityProgram.Utility.log, .power(0.5)] {
      var program = CapacityProgram(budget: 60)
      program.utility = utility
      var search = PriceSearch(method: .accelerated)
      let solution = try program.solve(
        units, totalUnits: 9, wholeNumbers: false, search: &search, over: SoloCollective())
      program.gamma = .fixed(solution.gamma)
      let demands = try program.demands(
        of: units, at: [solution.price / 2, solution.price, 2 * solution.price])
      #expect(abs(demands[1] - solution.spent) < 1e-9 * 60)
      #expect(demands[0] > demands[1] && demands[1] > demands[2])
    }
    #expect(throws: AllocationError.self) {
      try CapacityProgram(budget: 60).demands(of: units, at: [1])
    }
  }

  @Test("At the found μ the removed weights are those of the solution, and they rise with μ")
  func pruning() throws {
    let units = (0..<7).map {
      PruningUnit(index: $0, quality: 0.5 + Double($0), weights: 100 + 50 * $0, lower: 0, upper: 1)
    }
    for psi in PruningProgram.Psi.allCases {
      var program = PruningProgram(sparsity: 0.4)
      program.psi = psi
      program.depthPrior = 0.01
      var search = PriceSearch(method: .accelerated)
      let solution = try program.solve(
        units, totalUnits: 7, search: &search, over: SoloCollective())
      let demands = try program.demands(
        of: units, at: [solution.mu / 2, solution.mu, 2 * solution.mu])
      #expect(abs(demands[1] - solution.spent) < 1e-9 * solution.spent)
      #expect(demands[0] < demands[1] && demands[1] < demands[2])
    }
  }
}
