import Testing

@testable import Collectives

@Suite("Who is late, and for how long that may be")
struct StallJudgeTests {
  private func progress(_ done: Int, of total: Int = 10, begun: Double = 0) -> Progress {
    Progress(
      .scoring, done: done, total: total, doneWork: Double(done) * 1e9,
      totalWork: Double(total) * 1e9, begunWork: begun)
  }

  @Test("Signs survive their way as numbers; other numbers are no sign")
  func words() {
    for sign: SignOfLife in [
      .working(progress(3, begun: 1e12), calls: 7), .waiting(.gather, number: 12),
      .watching(seconds: 1200),
    ] {
      #expect(sign.words.count == SignOfLife.wordCount)
      #expect(SignOfLife(words: sign.words) == sign)
    }
    #expect(SignOfLife(words: [9, 0, 0, 0, 0, 0, 0, 0]) == nil)
    #expect(SignOfLife(words: [0, 0, 99, 0, 0, 0, 0, 0]) == nil)
    #expect(SignOfLife(words: [0, 0.5, 0, 0, 0, 0, 0, 0]) == nil)
    #expect(SignOfLife(words: [1, .nan, 0, 0, 0, 0, 0, 0]) == nil)
    #expect(SignOfLife(words: [2, 1]) == nil)
  }

  @Test("A rank is late until it waits in that call or a later one, and again when it works on")
  func late() {
    var judge = StallJudge(size: 3, limit: 10, now: 0)
    #expect(judge.late(in: 5) == [0, 1, 2])
    let news1 = judge.hear(.waiting(.sum, number: 5), from: 0, at: 1)
    #expect(news1)
    let news2 = judge.hear(.waiting(.sum, number: 6), from: 2, at: 1)
    #expect(news2)
    #expect(judge.late(in: 5) == [1])
    #expect(judge.late(in: 6) == [0, 1])
    #expect(judge.waits(2))
    let news3 = judge.hear(.working(progress(1), calls: 6), from: 2, at: 2)
    #expect(news3)
    #expect(judge.late(in: 5) == [1, 2])
    #expect(!judge.waits(2))
  }

  @Test("That a rank still waits is no news; that it waits in the next call is")
  func news() {
    var judge = StallJudge(size: 2, limit: 10, now: 0)
    let news4 = judge.hear(.waiting(.sum, number: 5), from: 1, at: 1)
    #expect(news4)
    let news5 = judge.hear(.waiting(.sum, number: 5), from: 1, at: 2)
    #expect(!news5)
    let news6 = judge.hear(.waiting(.sum, number: 6), from: 1, at: 3)
    #expect(news6)
  }

  @Test("A unit that should take longer than the limit gets four times its predicted time")
  func patience() {
    var judge = StallJudge(size: 2, limit: 10, now: 0)
    _ = judge.hear(.waiting(.sum, number: 5), from: 0, at: 0)
    _ = judge.hear(.working(progress(0, begun: 1e9), calls: 4), from: 1, at: 0)
    #expect(judge.patience(in: 5) == 10)
    // Nothing was measured yet: a thousand million operations per second.
    _ = judge.hear(.working(progress(0, begun: 1e11), calls: 4), from: 1, at: 0)
    #expect(judge.patience(in: 5) == 400)
    // Two units of 1e9 in four seconds.
    _ = judge.hear(.working(progress(2, begun: 1e11), calls: 4), from: 1, at: 4)
    #expect(judge.patience(in: 5) == 800)
    #expect(StallJudge.mayOutlast(10, work: 1e9))
    #expect(!StallJudge.mayOutlast(600, work: 1e9))
  }

  @Test("The verdict names rank, host, process, what it did and when it was heard of")
  func verdict() {
    var judge = StallJudge(size: 3, limit: 10, now: 0)
    judge.introduce(1, host: "node07", process: 4711)
    _ = judge.hear(.waiting(.sum, number: 5), from: 0, at: 14)
    _ = judge.hear(.working(progress(4), calls: 4), from: 1, at: 3)
    _ = judge.hear(.waiting(.sum, number: 5), from: 2, at: 14)
    let text = judge.verdict(waitingIn: .sum, number: 5, silence: 10, now: 15)
    #expect(text.contains("2 of 3 ranks wait in collective call 5 (sum)"), "\(text)")
    #expect(
      text.contains(
        "rank 1 on node07, process 4711: last reported 4 of 10 done (scoring), heard of 12 s ago"),
      "\(text)")
    #expect(!text.contains("rank 0 ") && !text.contains("rank 2 "), "\(text)")
  }

  @Test("Ranks that arrived and fell silent are late too; without any it is the network")
  func fallenSilent() {
    var judge = StallJudge(size: 2, limit: 12, now: 0)
    for rank in 0..<2 { _ = judge.hear(.waiting(.sum, number: 5), from: rank, at: 0) }
    _ = judge.hear(.waiting(.sum, number: 5), from: 0, at: 12)
    #expect(
      judge.verdict(waitingIn: .sum, number: 5, silence: 12, now: 13)
        .contains("rank 1 on unknown host"))
    _ = judge.hear(.waiting(.sum, number: 5), from: 1, at: 12)
    #expect(
      judge.verdict(waitingIn: .sum, number: 5, silence: 12, now: 13)
        .hasPrefix("all 2 ranks wait in collective call 5 (sum)"))
  }

  @Test("Many late ranks are counted, eight of them named")
  func many() {
    var judge = StallJudge(size: 20, limit: 10, now: 0)
    _ = judge.hear(.waiting(.barrier, number: 1), from: 0, at: 9)
    let text = judge.verdict(waitingIn: .barrier, number: 1, silence: 10, now: 10)
    #expect(text.contains("and 11 more") && text.contains("1 of 20 ranks waits"), "\(text)")
  }

  @Test("Only ranks in the latest step show progress")
  func job() {
    var judge = StallJudge(size: 3, limit: 10, now: 0)
    _ = judge.hear(.working(progress(10), calls: 4), from: 0, at: 0)
    _ = judge.hear(.working(progress(1), calls: 6), from: 1, at: 0)
    #expect(judge.job.step == 6)
    #expect(judge.job.ranks.map(\.progress) == [nil, progress(1), nil])
  }

  @Test("Steps count what is done, not what has begun")
  func steps() {
    var steps = ProgressSteps(.pruning, work: [1, 2, 3])
    let step7 = steps.begin()
    #expect(step7 == Progress(.pruning, done: 0, total: 3, doneWork: 0, totalWork: 6, begunWork: 1))
    let step8 = steps.begin()
    #expect(step8 == Progress(.pruning, done: 1, total: 3, doneWork: 1, totalWork: 6, begunWork: 2))
    let step9 = steps.begin()
    #expect(step9 == Progress(.pruning, done: 2, total: 3, doneWork: 3, totalWork: 6, begunWork: 3))
    let end = steps.end()
    #expect(end == Progress(.pruning, done: 3, total: 3, doneWork: 6, totalWork: 6))
    #expect(end.isComplete && end.share == 1)
    var none = ProgressSteps(.pruning, work: [])
    let ended = none.end()
    #expect(ended.share == 1)
  }
}
