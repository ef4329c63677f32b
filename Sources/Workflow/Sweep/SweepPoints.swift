internal import Allocation
internal import Collectives
internal import PlanFiles

/// What all points of a sweep share: this rank's units.
struct SweepUnits {
  let gains: SlicedGains
  let values: UnitValues
  let qualities: [Double]
  /// What the weights cost; nil without a checkpoint.
  let measured: MeasuredCosts?
}

/// The answers of all points for this rank's units.
struct SweepPoints {
  struct Solved: Sendable {
    let point: SweepDocument.Point
    let continuous: [Double]
    let integer: [Int]?
    var pattern: [String]?
  }
  let kind: PlanDocument.Program
  /// Without their answers.
  let units: [SweepDocument.Unit]
  let solved: [Solved]
  let parameters: [String: ParameterValue]
  var notes: [String] = []
}

extension SweepRequest {
  /// Searches that run side by side: each has a thread and its own numbers of every unit.
  private static let together = 64

  /// Collective.
  func points(
    _ shared: SweepUnits, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> SweepPoints {
    switch program {
    case .capacity(let program, let measures, let wholeNumbers):
      return try capacityPoints(
        program, measures, wholeNumbers, shared, search: &search, over: world)
    case .spectrum(let program, let measures):
      return try spectrumPoints(program, measures, shared, search: &search, over: world)
    case .pruning(let request, let sparsities):
      return try pruningPoints(request, sparsities, shared, search: &search, over: world)
    }
  }

  /// Solves all programs of these units, as many at a time as may run together. Collective; the first one that fails
  /// fails all.
  static func solvedTogether<Program: Sendable, Solved: Sendable>(
    _ programs: [Program], of gains: SlicedGains, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable,
    _ solve:
      @escaping @Sendable (Program, inout PriceSearch, JointCollective) throws(AllocationError)
      -> Solved
  ) throws(Failure) -> [Solved] {
    let method = search.method
    var all: [Solved] = []
    for start in stride(from: 0, to: programs.count, by: together) {
      let part = Array(programs[start..<min(start + together, programs.count)])
      let (results, allreduces) = JointCollective.run(part.count, over: world) { index, joint in
        Result { () throws(AllocationError) in
          var search = PriceSearch(method: method)
          return try solve(part[index], &search, joint)
        }
      }
      search.note(allreduces: allreduces)
      do throws(AllocationError) {
        for result in results { all.append(try result.get()) }
      } catch {
        throw Failure(error, among: gains.units, over: world)
      }
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
