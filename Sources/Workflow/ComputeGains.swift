internal import Collectives
internal import Curvature
internal import PlanFiles

extension StatisticsRequest {
  /// Opens the statistics, divides the units over the ranks and computes this rank's gains.
  ///
  /// Every rank reads all headers (they must agree) and only its own units' tensors.
  /// Collective: every rank calls, also one that will own no unit.
  func computeGains(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> SlicedGains {
    // 1. Headers: which units there are. Checked on every rank, agreed before anything is read.
    let (statistics, units): (Statistics, [ModuleUnit]) = try agreed(over: world) {
      () throws(Failure) in
      try openUnits()
    }
    try requireSameInput(statistics.headerFingerprint, what: path, over: world)

    // 2. Slices, balanced by predicted work.
    let slicing = slicing(of: units, ranks: world.size)
    let owned = slicing.unitsOfRank[world.rank]

    // 3. Gains of the units this rank owns, one module in memory at a time.
    let clock = ContinuousClock()
    let start = clock.now
    let computed = try agreed(over: world) { () throws(Failure) in
      try computedGains(of: owned, units, statistics)
    }
    let seconds = start.duration(to: clock.now).inSeconds

    // 4. What was really read, added up over the ranks: a sum does not depend on the slicing.
    var contents = [Int128(computed.checksum)]
    world.sum(&contents)
    let fingerprint = InputFingerprint(
      bytes: statistics.totalByteCount, headers: statistics.headerFingerprint.hexadecimal,
      contents: UInt64(truncatingIfNeeded: contents[0]).hexadecimal)
    return SlicedGains(
      units: computed.gains, totalUnits: units.count, curvature: curvature.rawValue,
      damping: "\(damping)", parameters: asParameters,
      inputs: ["statistics": fingerprint],
      notes: LayerGaps.notes(of: units.map(\.name)),
      slice: RunDocument.Slice(
        rank: world.rank, units: owned.count,
        modules: owned.reduce(0) { $0 + units[$1].modules.count },
        operations: slicing.work[world.rank], seconds: seconds, peakBytes: 0),
      seconds: seconds)
  }

  /// The statistics and their units, from headers alone.
  func openUnits() throws(Failure) -> (Statistics, [ModuleUnit]) {
    do throws(CurvatureError) {
      let statistics = try Statistics(path: path)
      let units = try selection.units(of: statistics.modules)
      try statistics.requireQuantities(of: curvature, in: units)
      return (statistics, units)
    } catch {
      throw Failure(error)
    }
  }

  func slicing(of units: [ModuleUnit], ranks: Int) -> Slicing {
    Slicing(
      work: units.map { unit in
        unit.modules.reduce(0) { $0 + curvature.floatingPointOperations(of: $1, rule: gain) }
      }, ranks: ranks)
  }

  /// Gains of the owned units and the combined checksum of what they read.
  private func computedGains(
    of owned: [Int], _ units: [ModuleUnit], _ statistics: Statistics
  ) throws(Failure) -> (gains: [UnitGain], checksum: UInt64) {
    var computer = GainComputer(
      statistics: statistics, kind: curvature, damping: damping, precision: precision, rule: gain)
    var gains: [UnitGain] = []
    var checksum: UInt64 = 0
    for index in owned {
      var details: [String: ModuleGain] = [:]
      for module in GainComputer.computingOrder(units[index].modules) {
        do throws(CurvatureError) {
          details[module.name] = try computer.gain(of: module)
        } catch {
          throw Failure(error)
        }
      }
      let inOrder = units[index].modules.compactMap { details[$0.name] }
      checksum = inOrder.reduce(checksum) { $0 &+ $1.checksum }
      gains.append(UnitGain(index: index, unit: .init(named: units[index].name, inOrder)))
    }
    return (gains, checksum)
  }
}

extension ScoresDocument.Unit {
  /// Gains of a block-diagonal curvature add, in the natural order of the modules. So do the Gram
  /// matrices of folds, from which the unit's own error follows: the modules' errors are not
  /// independent, as they come from the same sequences.
  init(named name: String, _ modules: [ModuleGain]) {
    let plain = modules.reduce(0) { $0 + $1.plainGain }
    let grams = modules.compactMap(\.foldGram)
    let gram =
      grams.count == modules.count
      ? grams.dropFirst().reduce(grams.first) { sum, next in sum.flatMap { $0.adding(next) } } : nil
    self.init(
      name: name, modules: modules.map(\.name),
      parameters: modules.reduce(0) { $0 + $1.parameters },
      gain: gram.map { max($0.crossFittedGain, 0) } ?? modules.reduce(0) { $0 + $1.gain },
      gradientNormSquared: modules.reduce(0) { $0 + $1.gradientNormSquared }, quality: nil,
      modulesDetail: modules.map(ScoresDocument.Module.init))
    guard !grams.isEmpty else { return }
    gainPlain = plain
    guard let gram else { return }
    gainCrossFitted = gram.crossFittedGain
    standardError = gram.standardError
    noiseShare = plain > 0 ? min(max(1 - gram.crossFittedGain / plain, 0), 1) : nil
  }
}

extension ScoresDocument.Module {
  init(_ module: ModuleGain) {
    self.init(
      name: module.name, gain: module.gain, gradientNormSquared: module.gradientNormSquared,
      damping: module.damping, shape: module.shape, precision: module.precision.rawValue,
      conditionNumber: module.conditionNumber, errorEstimate: module.errorEstimate)
    guard let gram = module.foldGram else { return }
    gainPlain = module.plainGain
    gainCrossFitted = gram.crossFittedGain
    standardError = gram.standardError
  }
}

extension Duration {
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
