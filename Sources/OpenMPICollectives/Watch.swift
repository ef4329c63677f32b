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
  let rank: Int
  let size: Int
  let settings: MPISession.Watching
  var judge: StallJudge?
  var isOpen = true

  /// Collective calls that this rank has begun.
  var calls = 0
  /// What each judge has not been told yet, because its last message was still under way.
  var unsent: [SignOfLife?] = [nil, nil]
  var lastTold = -Double.infinity
  var lastHeard = -Double.infinity
  var lastShown = -Double.infinity
  var lastAssured = 0.0
  var isInStep = false
  /// Until when a judge has promised to be heard again.
  var trusted = 0.0

  /// Messages sent to every rank, and received from all.
  var sent: [Int]
  var received = 0

  /// Seconds by which the second judge, and after it every further rank, speaks later than the one
  /// before: time for the launcher to end them.
  static let turn = 3.0

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

  var limit: Double { settings.stallTimeout }
  var judges: Range<Int> { 0..<min(2, size) }

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
  var tellingInterval: Double { max(1, Double(size) / 64) }

  /// Notes a sign for both judges; the latest is sent when it may be.
  func tell(_ sign: SignOfLife, at now: Double) {
    for place in judges.indices { unsent[place] = sign }
    // A judge knows its own state at once.
    if rank < 2 {
      _ = judge?.hear(sign, from: rank, at: now)
      unsent[rank] = nil
    }
  }

  /// Sends what the judges have not been told.
  func flush(at now: Double) {
    guard isOpen else { return }
    for place in judges.indices {
      guard let sign = unsent[place], post(sign, to: place) else { continue }
      unsent[place] = nil
    }
    lastTold = now
  }

  func post(_ sign: SignOfLife, to destination: Int) -> Bool {
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
  func assure(everybody: Bool, for seconds: Double, at now: Double) {
    guard let judge, isOpen else { return }
    lastAssured = now
    for other in 2..<max(size, 2) where everybody || judge.waits(other) {
      _ = post(.watching(seconds: seconds), to: other)
    }
  }

  /// Receives what there is. Returns whether any of it was news.
  func hear(at now: Double) -> Bool {
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

  func show(at now: Double) {
    guard rank == 0, let observer = settings.observer, let judge, now - lastShown >= 0.2 else {
      return
    }
    lastShown = now
    observer.observe(judge.job)
  }
}
