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
    let opened = try open(over: world)
    let (statistics, units) = (opened.statistics, opened.units)

    // 2. Slices, balanced by predicted work.
    let slicing = slicing(of: units, ranks: world.size)
    let owned = slicing.unitsOfRank[world.rank]
    try requireMemory(for: opened, over: world)

    let weights = try openWeights(of: opened, owned: owned, over: world)

    // 3. Gains of the units this rank owns, one module in memory at a time.
    let clock = ContinuousClock()
    let start = clock.now
    let computed = try agreed(over: world) { () throws(Failure) in
      try computedGains(of: owned, units, statistics, over: world)
    }
    let seconds = start.duration(to: clock.now).inSeconds

    // 4. What was really read and how, added up over the ranks: a sum does not depend on the slicing.
    let remarks = ComputingRemarks(computed.gains.map(\.unit), options)
    var contents = [Int128(computed.checksum)] + remarks.counts
    world.sum(&contents)
    let fingerprint = InputFingerprint(
      bytes: statistics.totalByteCount, headers: statistics.headerFingerprint.hexadecimal,
      contents: UInt64(truncatingIfNeeded: contents[0]).hexadecimal)
    return SlicedGains(
      units: computed.gains, totalUnits: units.count, curvature: options.kind.rawValue,
      damping: "\(options.damping)", parameters: asParameters,
      inputs: ["statistics": fingerprint],
      notes: opened.notes + remarks.notes(ofSums: Array(contents.dropFirst())),
      slice: RunDocument.Slice(
        rank: world.rank, units: owned.count,
        modules: owned.reduce(0) { $0 + units[$1].modules.count },
        operations: slicing.work[world.rank], seconds: seconds, peakBytes: 0),
      seconds: seconds, decreases: computed.decreases, weights: weights)
  }

  /// Gains of the owned units, the combined checksum of what they read, and what each further rank
  /// of a unit is worth where the spectrum was asked for. Reports progress; not collective.
  private func computedGains(
    of owned: [Int], _ units: [ModuleUnit], _ statistics: Statistics,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> (gains: [UnitGain], checksum: UInt64, decreases: [[Double]]?) {
    var computer = GainComputer(statistics: statistics, options: options)
    var gains: [UnitGain] = []
    var checksum: UInt64 = 0
    var decreases: [[Double]] = []
    var steps = ProgressSteps(.scoring, work: owned.map { work(of: units[$0]) })
    for index in owned {
      world.report(steps.begin())
      var details: [NaturalName: ModuleGain] = [:]
      for module in GainComputer.computingOrder(units[index].modules) {
        do throws(CurvatureError) {
          details[NaturalName(module.name)] = try computer.gain(of: module)
        } catch {
          throw Failure(error)
        }
      }
      let inOrder = units[index].modules.compactMap { details[NaturalName($0.name)] }
      checksum = inOrder.reduce(checksum) { $0 &+ $1.checksum }
      if options.wantsSpectrum { decreases.append(RankDecreases.of(inOrder)) }
      gains.append(UnitGain(index: index, unit: .init(named: units[index].name, inOrder)))
    }
    world.report(steps.end())
    return (gains, checksum, options.wantsSpectrum ? decreases : nil)
  }
}

extension Duration {
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
