import Allocation
import Foundation
import TestSupport
import Testing

/// Figures that others published: the authors' Mistral-7B plans and closed forms.
@Suite("Published plans")
struct PublishedPlanTests {
  private struct Published: Decodable {
    struct Case: Decodable {
      let name: String
      let kappa: Double
      let caps: [Double]
      let rho: [Double]
    }
    struct Infeasible: Decodable { let caps: [Double] }
    struct ClosedForm: Decodable {
      let psi: String
      let n: [Int]
      let q: [Double]
      let kappa: Double
      let cap: Double
      let targetWeights: Int
      let rho: [String]
      enum CodingKeys: String, CodingKey {
        case psi, n, q, kappa, cap, rho
        case targetWeights = "target_weights"
      }
    }
    struct Capacity: Decodable {
      let alpha: Double
      let gamma: Double
      let beta: Double
      let cost: Double
      let budget: Double
      let offset: Double
      let price: Double
      let first: Double
      let nineteenth: Double
      let twentyFifth: Double
      enum CodingKeys: String, CodingKey {
        case alpha, gamma, beta, cost, budget, offset, price
        case first = "x[1]"
        case nineteenth = "x[19]"
        case twentyFifth = "x[25]"
      }
    }
    let weightsPerUnit: Int
    let targetWeights: Int
    let eta: Double
    let quality: [Double]
    let cases: [Case]
    let infeasible: Infeasible
    let closedForms: [ClosedForm]
    let capacity: Capacity
    enum CodingKeys: String, CodingKey {
      case eta, quality, cases, infeasible, capacity
      case weightsPerUnit = "weights_per_unit"
      case targetWeights = "target_weights"
      case closedForms = "closed_forms"
    }
  }

  private let published: Published

  init() throws {
    let url = try #require(
      Bundle.module.url(
        forResource: "mistral-cola", withExtension: "json", subdirectory: "Problems"))
    published = try JSONDecoder().decode(Published.self, from: try Data(contentsOf: url))
  }

  private func units(caps: [Double]) -> [PruningUnit] {
    published.quality.enumerated().map {
      PruningUnit(
        index: $0, quality: $1, weights: published.weightsPerUnit, lower: 0, upper: caps[$0])
    }
  }

  @Test("The authors' Mistral plans are reproduced to 1e-9")
  func mistralPlans() throws {
    for plan in published.cases {
      var program = PruningProgram(sparsity: 0.5)
      program.eta = published.eta
      program.kappa = plan.kappa
      let solved = try SolvedPruning(program, units(caps: plan.caps), ranks: 4)
      #expect(solved.target == published.targetWeights)
      #expect(solved.integers.reduce(0, +) == published.targetWeights)
      for (ours, theirs) in zip(solved.continuous, plan.rho) {
        #expect(relativeError(ours, theirs) < 1e-9, "\(plan.name): \(ours) for \(theirs)")
      }
    }
  }

  @Test("The authors' infeasible plan is refused and names what its caps reach")
  func infeasiblePlan() {
    let caps = published.infeasible.caps
    let reachable = caps.reduce(0, +) / Double(caps.count)
    #expect {
      try SolvedPruning(PruningProgram(sparsity: 0.5), units(caps: caps), ranks: 3)
    } throws: { error in
      guard case .infeasible(_, _, let nearest, _)? = error as? AllocationError else {
        return false
      }
      let figure = nearest.split(separator: " ").last.flatMap { Double($0) } ?? 0
      return relativeError(figure, reachable) < 1e-12
    }
  }

  @Test("Closed forms with rational answers are met to rounding")
  func closedForms() throws {
    for form in published.closedForms {
      var program = PruningProgram(
        sparsity: Double(form.targetWeights) / Double(form.n.reduce(0, +)))
      program.psi = form.psi == "log" ? .log : .quadratic
      program.kappa = form.kappa
      let units = form.n.indices.map {
        PruningUnit(
          index: $0, quality: form.q[$0], weights: form.n[$0], lower: 0, upper: form.cap)
      }
      let solved = try SolvedPruning(program, units, ranks: 2)
      for (ours, fraction) in zip(solved.continuous, form.rho) {
        let parts = fraction.split(separator: "/").compactMap { Double($0) }
        let expected = parts.count == 2 ? parts[0] / parts[1] : parts[0]
        #expect(abs(ours - expected) <= 1e-15, "\(form.psi): \(ours) for \(fraction)")
      }
    }
  }

  @Test("The capacity example of the published qualities is met")
  func capacityExample() throws {
    let example = published.capacity
    var program = CapacityProgram(budget: example.budget)
    program.alpha = example.alpha
    program.alphaPer = .slot
    program.beta = example.beta
    program.gamma = .fixed(example.gamma)
    program.offset = example.offset
    let units = published.quality.enumerated().map {
      CapacityUnit(index: $0, quality: $1, cost: example.cost, lower: 0, upper: .infinity)
    }
    let solved = try SolvedCapacity(program, units, ranks: 3)
    #expect(relativeError(solved.lambda, example.price) < 1e-12)
    // Published with six decimals.
    #expect(abs(solved.continuous[1] - example.first) < 1e-6)
    #expect(abs(solved.continuous[19] - example.nineteenth) < 1e-6)
    #expect(abs(solved.continuous[25] - example.twentyFifth) < 1e-6)
  }

  @Test("With the authors' gamma of 0.9 and mean-one qualities the budget does not bind")
  func fixedGammaDoesNotBind() throws {
    var program = CapacityProgram(budget: 128)
    program.gamma = .fixed(0.9)
    let units = published.quality.enumerated().map {
      CapacityUnit(index: $0, quality: $1, cost: 1, lower: 0, upper: .infinity)
    }
    #expect(try SolvedCapacity(program, units).lambda == 0)
    program.gamma = .automatic
    #expect(try SolvedCapacity(program, units).lambda > 0)
  }
}
