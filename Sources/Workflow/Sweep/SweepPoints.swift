internal import Allocation
internal import Collectives
internal import PlanFiles

/// The answers of all points for this rank's units.
struct SweepPoints {
  struct Solved: Sendable {
    let point: SweepDocument.Point
    let continuous: [Double]
    let integer: [Int]?
  }
  let kind: PlanDocument.Program
  /// Without their answers.
  let units: [SweepDocument.Unit]
  let solved: [Solved]
  let parameters: [String: ParameterValue]
}

/// Answers of several programs, and the allreduces that they took together.
private struct SolvedTogether {
  var solved: [SweepPoints.Solved] = []
  var allreduces = 0
}

extension SweepRequest {
  /// Searches that run side by side: each has a thread and its own numbers of every unit.
  private static let together = 64

  /// Collective.
  func points(
    _ gains: SlicedGains, _ values: UnitValues, _ qualities: [Double], search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> SweepPoints {
    switch program {
    case .capacity(let program, let measures, let wholeNumbers):
      return try capacityPoints(
        program, measures, wholeNumbers, gains, values, qualities, search: &search, over: world)
    case .pruning(let program, let sparsities, let judgedBy):
      return try pruningPoints(
        program, sparsities, judgedBy, gains, values, qualities, search: &search, over: world)
    }
  }

  private func capacityPoints(
    _ program: CapacityProgram, _ measures: [CapacityMeasure], _ wholeNumbers: Bool,
    _ gains: SlicedGains, _ values: UnitValues, _ qualities: [Double], search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> SweepPoints {
    let first = measures[0]
    let units = try agreed(over: world) { () throws(Failure) in
      try first.units(gains, qualities, values)
    }
    var programs: [CapacityProgram] = []
    for measure in measures {
      var program = program
      program.budget = try measure.amount(over: world)
      programs.append(program)
    }
    let (method, totalUnits) = (search.method, gains.totalUnits)
    let together = try Self.solvedTogether(programs, over: world) {
      program, joint throws(AllocationError) in
      var search = PriceSearch(method: method)
      let solution = try program.solve(
        units, totalUnits: totalUnits, wholeNumbers: wholeNumbers, search: &search, over: joint)
      return SweepPoints.Solved(
        point: SweepDocument.Point(
          budget: program.budget, sparsity: nil, price: solution.price, gamma: solution.gamma,
          spent: solution.spent, spentInteger: solution.integer?.spent,
          certificate: PlanDocument.Certificate(solution.certificate)),
        continuous: solution.continuous, integer: solution.integer?.values)
    }
    search.note(allreduces: together.allreduces)
    var parameters = program.asParameters(gamma: 0)
      .merging(first.parameters(values.costs)) { _, new in new }
    parameters["gamma"] = nil
    parameters["integer"] = .flag(wholeNumbers)
    parameters["multiple_of"] = .number(Double(program.step))
    return SweepPoints(
      kind: .capacity,
      units: zip(gains.units, units).map { gained, unit in
        SweepDocument.Unit(
          name: gained.unit.name, quality: unit.quality, lower: unit.lower, upper: unit.upper,
          cost: unit.cost, weights: nil, continuous: [], integer: nil)
      }, solved: together.solved, parameters: parameters)
  }

  private func pruningPoints(
    _ program: PruningProgram, _ sparsities: [Double], _ judgedBy: QualitySource,
    _ gains: SlicedGains, _ values: UnitValues, _ qualities: [Double], search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> SweepPoints {
    let units = zip(gains.units, qualities).map { gained, quality in
      let (lower, upper) = values.bounds(of: gained.unit.name)
      return PruningUnit(
        index: gained.index, quality: quality, weights: gained.unit.parameters, lower: lower,
        upper: upper)
    }
    let programs = sparsities.map { sparsity in
      var program = program
      program.sparsity = sparsity
      return program
    }
    let (method, totalUnits) = (search.method, gains.totalUnits)
    let together = try Self.solvedTogether(programs, over: world) {
      program, joint throws(AllocationError) in
      var search = PriceSearch(method: method)
      let solution = try program.solve(units, totalUnits: totalUnits, search: &search, over: joint)
      return SweepPoints.Solved(
        point: SweepDocument.Point(
          budget: Double(solution.target), sparsity: program.sparsity, price: solution.price,
          gamma: nil, spent: solution.spent, spentInteger: Double(solution.target),
          certificate: PlanDocument.Certificate(solution.certificate)),
        continuous: solution.continuous, integer: solution.integers)
    }
    search.note(allreduces: together.allreduces)
    return SweepPoints(
      kind: .pruning,
      units: zip(gains.units, units).map { gained, unit in
        SweepDocument.Unit(
          name: gained.unit.name, quality: unit.quality, lower: unit.lower, upper: unit.upper,
          cost: nil, weights: unit.weights, continuous: [], integer: nil)
      }, solved: together.solved, parameters: program.asParameters(judgedBy: judgedBy))
  }

  /// Solves all programs, as many at a time as may run together. Collective; the first one that fails
  /// fails all.
  private static func solvedTogether<Program: Sendable>(
    _ programs: [Program], over world: borrowing some Collective & ~Copyable,
    _ solve:
      @escaping @Sendable (Program, JointCollective) throws(AllocationError)
      -> SweepPoints.Solved
  ) throws(Failure) -> SolvedTogether {
    var all = SolvedTogether()
    for start in stride(from: 0, to: programs.count, by: together) {
      let part = Array(programs[start..<min(start + together, programs.count)])
      let (results, allreduces) = JointCollective.run(part.count, over: world) { index, joint in
        Result { () throws(AllocationError) in try solve(part[index], joint) }
      }
      do throws(AllocationError) {
        for result in results { all.solved.append(try result.get()) }
      } catch {
        throw Failure(error)
      }
      all.allreduces += allreduces
    }
    return all
  }
}

extension PruningProgram {
  /// The closed form's options as resolved, but for the sparsity.
  func asParameters(judgedBy: QualitySource) -> [String: ParameterValue] {
    [
      "b": .number(b), "eta": .number(eta), "kappa": .number(kappa), "psi": .text(psi.rawValue),
      "damage": .text(damage.rawValue), "depth_prior": .number(depthPrior),
      "quality": .text(judgedBy.rawValue),
    ]
  }
}
