internal import CMPIShim
internal import Collectives
internal import Glibc

/// One rank's part in watching over all of them: what it tells, what it hears, and when it ends the run.
///
/// Ranks 0 and 1 judge. Every rank tells both how far it has come, at most about once a second, and
/// that it waits, once it has waited for a second. A judge that waits itself and has heard nothing new
/// from anybody for the limit ends the run and names the late ranks; rank 1 leaves rank 0 a few
/// seconds to do so first. Judges answer waiting ranks now and then; a rank whose judges are both
/// silent ends the run after twice the limit, without names.
///
/// Time counts only while this rank looks: a job that was suspended as a whole is not late.
final class Watch {
  private let rank: Int
  private let size: Int
  private let settings: MPISession.Watching
  private var judge: StallJudge?
  private var isOpen = true

  /// Collective calls that this rank has begun.
  private var calls = 0
  /// What each judge has not been told yet, because its last message was still under way.
  private var unsent: [SignOfLife?] = [nil, nil]
  private var lastTold = -Double.infinity
  private var lastHeard = -Double.infinity
  private var lastShown = -Double.infinity
  private var lastAssured = 0.0
  private var isInStep = false
  /// Until when a judge has promised to be heard again.
  private var trusted = 0.0

  /// Messages sent to every rank, and received from all.
  private(set) var sent: [Int]
  private(set) var received = 0

  /// Seconds by which the second judge, and after it every further rank, speaks later than the one
  /// before: time for the launcher to end them.
  private static let turn = 3.0

  init(rank: Int, size: Int, settings: MPISession.Watching) {
    self.rank = rank
    self.size = size
    self.settings = settings
    sent = Array(repeating: 0, count: size)
    if size > 1, rank < 2 {
      // Rank 0 knows the ranks for the display also where nobody ends the run.
      let limit = settings.stallTimeout > 0 ? settings.stallTimeout : Double.greatestFiniteMagnitude
      judge = StallJudge(size: size, limit: limit, now: Self.now())
    }
  }

  static func now() -> Double {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private var limit: Double { settings.stallTimeout }
  private var judges: Range<Int> { 0..<min(2, size) }

  /// Names hosts and processes to the judges. Collective.
  func introduce(over world: borrowing MPICollective) {
    guard size > 1 else { return }
    let own = Array("\(getpid()) \(world.hostName)".utf8)
    for root in judges {
      for (rank, bytes) in world.gather(own, at: root).enumerated() {
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { continue }
        judge?.introduce(rank, host: String(parts[1]), process: Int(parts[0]))
      }
    }
  }

  // MARK: Signs

  /// Tells how far this rank has come.
  func report(_ progress: Progress) {
    guard size > 1, isOpen else { return }
    let now = Self.now()
    let mayOutlast =
      limit > 0 && StallJudge.mayOutlast(limit, work: progress.begunWork)
    isInStep = rank == 0
    tell(.working(progress, calls: calls), at: now)
    if now - lastTold >= tellingInterval || mayOutlast { flush(at: now) }
    if now - lastHeard >= 0.01 {
      _ = hear(at: now)
      show(at: now)
    }
    guard let judge, limit > 0 else { return }
    if mayOutlast {
      assure(everybody: true, for: 2 * judge.patience(withWork: progress.begunWork), at: now)
    } else if now - lastAssured >= limit / 4 {
      assure(everybody: false, for: 2 * limit, at: now)
    }
  }

  /// More ranks speak more seldom each, so that judges hear about 64 of them a second.
  private var tellingInterval: Double { max(1, Double(size) / 64) }

  /// Notes a sign for both judges; the latest is sent when it may be.
  private func tell(_ sign: SignOfLife, at now: Double) {
    for place in judges.indices { unsent[place] = sign }
    // A judge knows its own state at once.
    if rank < 2 {
      _ = judge?.hear(sign, from: rank, at: now)
      unsent[rank] = nil
    }
  }

  /// Sends what the judges have not been told.
  private func flush(at now: Double) {
    guard isOpen else { return }
    for place in judges.indices {
      guard let sign = unsent[place], post(sign, to: place) else { continue }
      unsent[place] = nil
    }
    lastTold = now
  }

  private func post(_ sign: SignOfLife, to destination: Int) -> Bool {
    var posted: Int32 = 0
    let words = sign.words
    unsafe words.withUnsafeBufferPointer { words in
      guard let start = words.baseAddress else { return }
      check(unsafe cmpi_post_sign(start, Int32(destination), &posted))
    }
    if posted != 0 { sent[destination] += 1 }
    return posted != 0
  }

  /// Tells ranks that this judge is there, and for how long they should trust that.
  private func assure(everybody: Bool, for seconds: Double, at now: Double) {
    guard let judge, isOpen else { return }
    lastAssured = now
    for other in 2..<max(size, 2) where everybody || judge.waits(other) {
      _ = post(.watching(seconds: seconds), to: other)
    }
  }

  /// Receives what there is. Returns whether any of it was news.
  private func hear(at now: Double) -> Bool {
    lastHeard = now
    var hasNews = false
    var words = [Double](repeating: 0, count: SignOfLife.wordCount)
    while true {
      var (source, taken): (Int32, Int32) = (0, 0)
      unsafe words.withUnsafeMutableBufferPointer { words in
        guard let start = words.baseAddress else { return }
        check(unsafe cmpi_take_sign(start, &source, &taken))
      }
      guard taken != 0 else { return hasNews }
      received += 1
      guard let sign = SignOfLife(words: words) else { continue }
      if case .watching(let seconds) = sign {
        trusted = max(trusted, now + seconds)
        hasNews = true
      } else if judge?.hear(sign, from: Int(source), at: now) == true {
        hasNews = true
      }
    }
  }

  private func show(at now: Double) {
    guard rank == 0, let observer = settings.observer, let judge, now - lastShown >= 0.2 else {
      return
    }
    lastShown = now
    observer.observe(judge.job)
  }

  // MARK: Waiting

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
  }

  private func attend(to call: CollectiveCall, _ silence: inout Silence, at now: Double) {
    guard size > 1 else { return }
    // A rank that was itself stopped for a while has not listened meanwhile.
    silence.seconds += min(now - silence.looked, 0.5)
    silence.looked = now
    if hear(at: now) { silence.seconds = 0 }
    show(at: now)
    guard limit > 0 else {
      if isOpen, now - silence.start >= 1, now - lastTold >= tellingInterval { flush(at: now) }
      return
    }
    guard isOpen else {
      // The end of the session: all that can be said is that it does not come.
      if silence.seconds >= 2 * limit + Self.turn * Double(min(rank, 20)) { end(without: call) }
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

  // MARK: The end

  /// Receives every message that was sent, and sees every own one sent. Collective.
  func settle(over world: borrowing MPICollective) {
    guard size > 1 else { return }
    // 1. Everybody arrives while late ranks can still be named; then nobody tells any more.
    world.barrier()
    while unsent.contains(where: { $0 != nil }) {
      flush(at: Self.now())
      _ = hear(at: Self.now())
    }
    isOpen = false
    // 2. How many messages are for this rank.
    var expected = sent.map { Int128($0) }
    world.sum(&expected)
    // 3. They come, and the own ones leave.
    while true {
      var allSent: Int32 = 0
      check(unsafe cmpi_signs_are_sent(&allSent))
      _ = hear(at: Self.now())
      if allSent != 0, received >= Int(expected[rank]) { break }
      sched_yield()
    }
    show(at: .infinity)
    guard received == Int(expected[rank]) else {
      endRun(
        "rank \(rank): \(received) messages about progress came, but \(expected[rank]) were sent")
    }
  }
}
