internal import Allocation
internal import Checkpoints
internal import Collectives
internal import Curvature
internal import DenseLinearAlgebra
internal import PlanFiles

/// What one pass over the weights says of a unit.
struct MeasuredUnit: Sendable {
  /// Entries of the unit's matrices; biases are never pruned and not counted.
  let weights: Int
  /// ½ Σ w² h of each module, in order.
  let moduleDamages: [Double]
  let bins: CostHistogram
  /// Whole groups of M inputs, and the cost of the j cheapest weights of all of them, j = 0 ... N.
  let groups: Int
  let groupCosts: [Double]

  /// ½ Σ w² h: what zeroing all of the unit costs to second order, each weight taken alone.
  var damage: Double { moduleDamages.reduce(0, +) }
}

/// The first pass over the weights of this rank's units.
struct MeasuredCosts: Sendable {
  let units: [MeasuredUnit]
  let weights: OwnedWeights
  /// Of the checkpoint, all ranks together.
  let fingerprint: InputFingerprint

  /// Histograms of a further pass, by the keys of factor · s; the factors are the units'. Of every
  /// resolution, in their order, one per unit. Reports progress; not collective.
  /// - Complexity: the weights are read once; each resolution keeps an array of its places.
  func pass(
    _ resolutions: [CostCounter.Resolution], factors: [Double],
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> [[CostHistogram]] {
    var counters = resolutions.map { CostCounter($0) }
    var histograms = [[CostHistogram]](repeating: [], count: counters.count)
    guard !counters.isEmpty else { return [] }
    var steps = weights.progressSteps
    for (parts, factor) in zip(weights.units, factors) {
      world.report(steps.begin())
      for part in parts {
        _ = try weights.visitCosts(of: part) { costs in
          costs.withSpan { span in
            for index in counters.indices { counters[index].add(span, factor: factor) }
          }
        }
      }
      for index in counters.indices { histograms[index].append(counters[index].finish()) }
    }
    world.report(steps.end())
    return histograms
  }
}

extension OwnedWeights {
  /// Prices every weight of this rank's units once. Collective: a failure is agreed on, and the
  /// checksums are added up.
  func measured(
    _ patterns: SparsityPatterns?, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> MeasuredCosts {
    var checksum: UInt64 = 0
    let measured = try agreed(over: world) { () throws(Failure) in
      var counter = CostCounter(.bins)
      var groupCounter = patterns.map(GroupCounter.init)
      var measured: [MeasuredUnit] = []
      var steps = progressSteps
      for parts in units {
        world.report(steps.begin())
        let unit = try measure(
          parts, patterns, &counter, &groupCounter, checksum: &checksum)
        measured.append(unit)
      }
      world.report(steps.end())
      return measured
    }
    var sum = [Int128(checksum)]
    world.sum(&sum)
    return MeasuredCosts(
      units: measured, weights: self,
      fingerprint: InputFingerprint(
        bytes: checkpoint.totalByteCount, headers: checkpoint.headerFingerprint.hexadecimal,
        contents: UInt64(truncatingIfNeeded: sum[0]).hexadecimal))
  }

  /// A pass over the weights: a few operations for each.
  var progressSteps: ProgressSteps {
    ProgressSteps(
      .weighing,
      work: units.map { parts in parts.reduce(0) { $0 + 20 * Double($1.weight.count) } })
  }

  private func measure(
    _ parts: [Part], _ patterns: SparsityPatterns?, _ counter: inout CostCounter,
    _ groupCounter: inout GroupCounter?, checksum: inout UInt64
  ) throws(Failure) -> MeasuredUnit {
    var damages: [Double] = []
    for part in parts {
      var damage = 0.0
      let own = try visitCosts(of: part) { costs in
        let columns = costs.columns
        costs.withSpan { values in
          for index in values.indices { damage += values[index] }
          guard damage.isFinite else { return }
          counter.add(values, factor: 1)
          for first in stride(from: 0, to: values.count, by: columns) where groupCounter != nil {
            groupCounter?.add(row: values.extracting(first..<first + columns))
          }
        }
      }
      guard damage.isFinite else {
        throw Failure(
          .badData,
          "module \"\(part.module.name)\": ½ Σ w² h of its weights is \(damage), which is no finite "
            + "number; look for absurdly large weights or curvature")
      }
      damages.append(damage)
      checksum &+= own
    }
    return MeasuredUnit(
      weights: parts.reduce(0) { $0 + $1.weight.count }, moduleDamages: damages,
      bins: counter.finish(),
      groups: parts.reduce(0) { sum, part in
        sum
          + (patterns?.groups(outputs: part.weight.outputs, inputs: part.weight.inputs) ?? 0)
      },
      groupCosts: groupCounter?.finish() ?? [])
  }
}

extension SlicedGains {
  /// Prices the weights where a checkpoint was given, and notes the damages among the gains.
  /// Collective.
  mutating func measure(
    _ patterns: SparsityPatterns?, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> MeasuredCosts? {
    guard let measured = try weights?.measured(patterns, over: world) else { return nil }
    units = zip(units, measured.units).map { gained, measured in
      var unit = gained.unit
      unit.damage = measured.damage
      for (index, damage) in measured.moduleDamages.enumerated() {
        unit.modulesDetail[index].damage = damage
      }
      return UnitGain(index: gained.index, unit: unit)
    }
    inputs["checkpoint"] = measured.fingerprint
    return measured
  }
}
