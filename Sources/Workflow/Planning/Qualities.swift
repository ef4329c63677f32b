internal import Allocation
internal import Collectives
internal import PlanFiles

/// What is made into the qualities of a pruning program.
public enum QualitySource: String, CaseIterable, Sendable {
  /// ζ²: what a unit could still learn.
  case gain
  /// ½ Σ w² h: what zeroing all of a unit would lose, to second order.
  case damage

  func value(of unit: ScoresDocument.Unit) throws(Failure) -> Double {
    switch self {
    case .gain: return unit.gain
    case .damage:
      guard let damage = unit.damage else {
        throw Failure(
          .badData,
          "unit \"\(unit.name)\" has no damage, which --quality damage needs; make the scores with "
            + "layerbudget score --checkpoint DIR")
      }
      guard damage.isFinite, damage >= 0 else {
        throw Failure(
          .badData,
          "unit \"\(unit.name)\" has damage \(damage), but it must be finite and not negative; make "
            + "the scores anew")
      }
      return damage
    }
  }
}

extension QualityRule {
  /// Qualities of this rank's units. Collective.
  func qualities(
    of gains: SlicedGains, judgingBy source: QualitySource = .gain, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> [Double] {
    let perParameter = perParameter
    let worths = try agreed(over: world) { () throws(Failure) in
      for gained in gains.units where perParameter && gained.unit.parameters == 0 {
        throw Failure(
          .badData,
          "unit \"\(gained.unit.name)\" has no parameter count, which --per-parameter needs; add a "
            + "parameters column to the scores")
      }
      return try gains.units.map { gained throws(Failure) in try source.value(of: gained.unit) }
    }
    let units = zip(gains.units, worths).map {
      GainedUnit(gain: $1, parameters: Double($0.unit.parameters))
    }
    do throws(AllocationError) {
      return try qualities(
        of: units, totalUnits: gains.totalUnits, search: &search, over: world)
    } catch {
      throw Failure(error, among: gains.units, over: world)
    }
  }

  var asParameters: [String: ParameterValue] {
    [
      "normalize": .text(normalization.rawValue), "per_parameter": .flag(perParameter),
      "quality_floor": .number(floor),
    ]
  }
}
