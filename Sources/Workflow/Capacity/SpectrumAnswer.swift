internal import Allocation
internal import Collectives
internal import PlanFiles

/// The ranks by spectra, and what they and other ranks at the same budget are worth by them.
struct SpectrumAnswer {
  let solution: SpectrumSolution
  /// Σ ½ σ² of the ranks given, over all ranks' units, by the name of the utility or `uniform`.
  let decreases: [String: Double]
}

extension AllocateRequest {
  /// Solves the spectrum program, the formula and the uniform ranks, all of whole multiples under the
  /// same budget, bounds and costs. One that was not asked for and has no answer is left out.
  /// Collective.
  func spectrumAnswer(
    _ program: CapacityProgram, _ units: [SpectrumUnit], _ planning: inout PlanningRun,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> SpectrumAnswer {
    let totalUnits = planning.gains.totalUnits
    let spectrum = SpectrumProgram(sharing: program)
    let solution: SpectrumSolution
    let uniform: [Int]
    do throws(AllocationError) {
      solution = try spectrum.solve(
        units, totalUnits: totalUnits, search: &planning.search, over: world)
      uniform = try spectrum.uniformRanks(
        units, totalUnits: totalUnits, search: &planning.search, over: world)
    } catch {
      throw Failure(error, among: planning.gains.units, over: world)
    }
    var answers = [("spectrum", solution.ranks), ("uniform", uniform)]
    let qualities = planning.qualities
    let capacity = units.indices.map { position in
      let bounds = spectrum.bounds(of: units[position])
      let own = planning.values.costs.program(of: planning.gains.units[position].unit.name)
      return CapacityUnit(
        index: units[position].index, quality: qualities[position], cost: units[position].cost,
        lower: Double(bounds.lower), upper: Double(bounds.upper), alpha: own?.alpha,
        gammaFactor: own?.gamma ?? 1)
    }
    if let formula = try? program.solve(
      capacity, totalUnits: totalUnits, wholeNumbers: true, search: &planning.search, over: world),
      let integers = formula.integer?.values
    {
      answers.append(("log", integers))
    }
    let sums = planning.search.exactSums(
      answers.map { zip(units, $0.1).map { $0.decrease(ofRank: $1) } }, totalTerms: totalUnits,
      over: world)
    return SpectrumAnswer(
      solution: solution,
      decreases: Dictionary(uniqueKeysWithValues: zip(answers.map(\.0), sums)))
  }

  /// Tells how much of what the spectra add up to is sampling noise: cross-fitting measures it for the
  /// whole, not for single ranks. Collective, two allreduces.
  func spectrumNoise(
    _ planning: inout PlanningRun, over world: borrowing some Collective & ~Copyable
  ) -> [String] {
    let units = planning.gains.units.map(\.unit)
    let sums = planning.search.exactSums(
      [
        units.map { $0.gainPlain ?? $0.gain },
        units.map { unit in
          unit.gainCrossFitted ?? (unit.gain - min(unit.predictedNoise ?? 0, unit.gain))
        },
      ], totalTerms: planning.gains.totalUnits, over: world)
    guard sums[0] > 0 else { return [] }
    let share = min(max(1 - sums[1] / sums[0], 0), 1)
    guard share > 0.5 else { return [] }
    return [
      "about \(NumberText.fixed(100 * share, decimals: 0)) % of what the spectra add up to is sampling "
        + "noise, which lies in every singular value: predicted decreases are too large by as much, and "
        + "ranks partly follow the noise; more calibration sequences would tell"
    ]
  }
}
