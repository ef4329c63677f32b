internal import Collectives
internal import Curvature
internal import PlanFiles
internal import TensorFiles

extension StatisticsRequest {
  /// Opens the statistics, divides the units over the ranks and computes this rank's gains, but for
  /// those that an earlier run has noted.
  ///
  /// Every rank reads all headers (they must agree) and only its own units' tensors.
  /// Collective: every rank calls, also one that will own no unit.
  func computeGains(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> SlicedGains {
    // 1. Headers: which units there are. Checked on every rank, agreed before anything is read.
    let opened = try open(over: world)
    let (statistics, units) = (opened.statistics, opened.units)
    let request = sharedJournal(over: world)
    if request == nil { StopSignal.endAtOnce() }
    var journal = try Journal<GainRecord>(
      request, basis: { journalBasis(statistics) }, over: world)

    // 2. Slices, balanced by predicted work. What is done already costs only its reading.
    let work = units.map { unit in
      guard journal.record(of: unit.name) != nil else { return self.work(of: unit) }
      return unit.modules.reduce(0) { $0 + Double(statistics.bytesRead(of: $1, under: options)) }
    }
    let slicing = Slicing(work: work, ranks: world.size)
    let owned = slicing.unitsOfRank[world.rank]
    try requireMemory(for: opened, over: world)

    let weights = try openWeights(of: opened, owned: owned, over: world)

    // 3. Gains of the units this rank owns, one module in memory at a time.
    let clock = ContinuousClock()
    let start = clock.now
    let computed: OwnedGains
    do throws(Failure) {
      computed = try agreed(over: world) { () throws(Failure) in
        try OwnedGains(
          owned, of: units, work: owned.map { work[$0] }, statistics, options, &journal,
          over: world)
      }
    } catch {
      if world.rank == 0 { self.journal?.removeStopMark() }
      throw error
    }
    let seconds = start.duration(to: clock.now).inSeconds

    // 4. What was really read and how, added up over the ranks: a sum does not depend on the slicing.
    let remarks = ComputingRemarks(computed.gains.map(\.unit), options)
    let progress = [
      computed.gains.count, computed.isStopped ? 1 : 0, computed.resumed, computed.changed,
    ]
    var contents = [Int128(computed.checksum)] + progress.map { Int128($0) } + remarks.counts
    world.sum(&contents)
    let sums = contents[1...progress.count].map { Int($0) }
    try endIfStopped(done: sums[0], of: units.count, stoppedRanks: sums[1], rank: world.rank)
    let resumption = Resumption(
      count: sums[2],
      notes: journal.notes + resumptionNotes(resumed: sums[2], changed: sums[3], of: units))
    if world.rank == 0, let request = self.journal {
      resumption.notes.dropFirst(journal.notes.count).forEach(request.note)
    }

    let fingerprint = InputFingerprint(
      bytes: statistics.totalByteCount, headers: statistics.headerFingerprint.hexadecimal,
      contents: UInt64(truncatingIfNeeded: contents[0]).hexadecimal)
    return SlicedGains(
      units: computed.gains, totalUnits: units.count, curvature: options.kind.rawValue,
      damping: "\(options.damping)", parameters: asParameters,
      inputs: ["statistics": fingerprint],
      notes: opened.notes + remarks.notes(ofSums: Array(contents.dropFirst(1 + progress.count))),
      slice: RunDocument.Slice(
        rank: world.rank, units: owned.count,
        modules: owned.reduce(0) { $0 + units[$1].modules.count },
        operations: slicing.work[world.rank], seconds: seconds, peakBytes: 0),
      seconds: seconds, decreases: options.wantsSpectrum ? computed.decreases : nil,
      resumption: resumption, weights: weights)
  }

  /// Ends every rank where one has stopped and units are left. A signal that came when all were done
  /// changes nothing. The same on every rank.
  private func endIfStopped(done: Int, of total: Int, stoppedRanks: Int, rank: Int) throws(Failure)
  {
    guard let journal, stoppedRanks > 0 else { return }
    if rank == 0 { journal.removeStopMark() }
    guard done < total else { return }
    throw Failure(
      .interrupted,
      "stopped by a signal after \(done) of \(total) units, which are kept in \(journal.folder); the "
        + "same command goes on from there")
  }

  /// The journal, where all hosts see its folder: each rank writes its own file there, and the next run
  /// reads all of them. Elsewhere there is none, and a note says so. Collective.
  private func sharedJournal(over world: borrowing some Collective & ~Copyable) -> JournalRequest? {
    guard let journal else { return nil }
    do throws(Failure) {
      try requireSharedFolder(DurableFolder.parent(of: journal.folder), over: world)
      return journal
    } catch {
      if world.rank == 0 { journal.note("this run keeps no journal: \(error)") }
      return nil
    }
  }

  private func resumptionNotes(resumed: Int, changed: Int, of units: [ModuleUnit]) -> [String] {
    var notes: [String] = []
    if resumed > 0 {
      notes.append(
        "\(resumed) of \(units.count) units are taken from an earlier run; --no-resume computes them "
          + "again")
    }
    if changed > 0 {
      notes.append(
        "\(changed) unit\(changed == 1 ? "" : "s") of an earlier run \(changed == 1 ? "is" : "are") "
          + "computed again: their statistics changed since")
    }
    return notes
  }
}

extension Duration {
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
