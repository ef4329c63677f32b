internal import CMPIShim
internal import Collectives
internal import Glibc

/// How a rank waits, when it ends the run, and how the watch ends.
extension Watch {
  /// Returns when the call that was just started is done.
  ///
  /// The first tests follow each other closely, for calls of microseconds; then other processes get
  /// their turn; from a millisecond on this one sleeps between tests, so that ranks that share a core
  /// leave it to the one they wait for.
  func wait(in call: CollectiveCall, isNew: Bool) {
    if isNew { calls += 1 }
    defer { endStep(after: call) }
    for _ in 0..<Self.quickTests where isDone() { return }
    let start = Self.now()
    var silence = Silence(at: start)
    while !isDone() {
      let now = Self.now()
      let waited = now - start
      if waited < 0.001 {
        sched_yield()
      } else {
        usleep(UInt32(min(max(waited / 32, 0.00005), 0.001) * 1e6))
      }
      if now - lastHeard >= 0.01 { attend(to: call, &silence, at: now) }
    }
  }

  /// What all ranks have to reach ends the step that they reported from.
  private func endStep(after call: CollectiveCall) {
    guard isInStep, [.sum, .maximum, .barrier].contains(call) else { return }
    isInStep = false
    settings.observer?.endStep()
  }

  private static let quickTests = 100

  private func isDone() -> Bool {
    var done: Int32 = 0
    check(unsafe cmpi_test(&done))
    return done != 0
  }

  /// How long this rank has looked and heard nothing new.
  private struct Silence {
    var seconds = 0.0
    var looked: Double
    var told: Double
    let start: Double

    init(at now: Double) {
      looked = now
      told = -Double.infinity
      start = now
    }

    /// A rank that was itself stopped for a while has not listened meanwhile.
    mutating func add(until now: Double) {
      seconds += min(now - looked, 0.5)
      looked = now
    }
  }

  private func attend(to call: CollectiveCall, _ silence: inout Silence, at now: Double) {
    guard size > 1 else { return }
    silence.add(until: now)
    if hear(at: now) { silence.seconds = 0 }
    show(at: now)
    guard limit > 0 else {
      if isOpen, now - silence.start >= 1, now - lastTold >= tellingInterval { flush(at: now) }
      return
    }
    guard isOpen else {
      // The end of the session: all that can be said is that it does not come.
      if silence.seconds >= 2 * limit + Self.turn * Double(min(rank, 20)) { endUnfinished() }
      return
    }
    if now - silence.start >= 1 {
      if now - silence.told >= StallJudge.interval(of: limit) {
        // Progress that was not told yet comes first: the last of it is where the rank stands.
        if silence.told < 0, judges.indices.contains(where: { unsent[$0] != nil }) {
          flush(at: now)
        }
        tell(.waiting(call, number: calls), at: now)
        silence.told = now
      }
      flush(at: now)
    }
    if let judge {
      if now - lastAssured >= limit / 4 { assure(everybody: false, for: 2 * limit, at: now) }
      let patience = judge.patience(in: calls) + Self.turn * Double(rank)
      guard silence.seconds >= patience else { return }
      endRun(
        "layerbudget: "
          + judge.verdict(waitingIn: call, number: calls, silence: silence.seconds, now: now),
        code: MPISession.stalledCode)
    } else if silence.seconds >= 2 * limit + Self.turn * Double(min(rank - 2, 20)), now >= trusted {
      end(without: call)
    }
  }

  private func end(without call: CollectiveCall) -> Never {
    endRun(
      "layerbudget: rank \(rank) waits in collective call \(calls) (\(call.name)) and has heard nothing from "
        + "ranks 0 and 1, which watch over the run, for more than \(Int(2 * limit)) s: look at their hosts, then "
        + "run the same command again", code: MPISession.stalledCode)
  }

  private func endUnfinished() -> Never {
    endRun(
      "layerbudget: rank \(rank) has done its work, but for \(Int(2 * limit)) s some rank has not come to the end "
        + "of the run; look at the other hosts and at the output, then run the same command again",
      code: MPISession.stalledCode)
  }

  // MARK: The end

  /// Receives every message that was sent, and sees every own one sent. Collective.
  func settle(over world: borrowing MPICollective) {
    guard size > 1 else { return }
    // 1. Everybody arrives while late ranks can still be named; then nobody tells any more.
    world.barrier()
    var silence = Silence(at: Self.now())
    while unsent.contains(where: { $0 != nil }) {
      flush(at: Self.now())
      settleFurther(&silence)
    }
    isOpen = false
    // 2. How many messages are for this rank.
    var expected = sent.map { Int128($0) }
    world.sum(&expected)
    // 3. They come, and the own ones leave.
    while true {
      var allSent: Int32 = 0
      check(unsafe cmpi_signs_are_sent(&allSent))
      settleFurther(&silence)
      if allSent != 0, received >= Int(expected[rank]) { break }
    }
    show(at: .infinity)
    guard received == Int(expected[rank]) else {
      endRun(
        "rank \(rank): \(received) messages about progress came, but \(expected[rank]) were sent")
    }
  }

  /// Receives what has come; ends the run where that takes too long.
  private func settleFurther(_ silence: inout Silence) {
    let now = Self.now()
    silence.add(until: now)
    if hear(at: now) { silence.seconds = 0 }
    if limit > 0, silence.seconds > 2 * limit { endUnfinished() }
    sched_yield()
  }
}
