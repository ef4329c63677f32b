import Collectives
import Testing

@testable import Workflow

@Suite("The progress line")
struct ProgressLineTests {
  private func job(_ ranks: [(Int, Int, Double, Double)?]) -> JobProgress {
    JobProgress(
      step: 3,
      ranks: ranks.enumerated().map { index, rank in
        JobProgress.Rank(
          host: "node\(index)",
          progress: rank.map {
            Progress(.scoring, done: $0.0, total: $0.1, doneWork: $0.2, totalWork: $0.3)
          })
      })
  }

  @Test("Units of all ranks, share by predicted work, the slowest rank's time left")
  func line() {
    let line = ProgressLine(job([(900, 1000, 80, 100), (300, 1000, 20, 100)]), seconds: 60)
    #expect(line.share == 0.5)
    #expect(line.secondsLeft == 240)
    #expect(
      line.text(width: .max)
        == "scoring: 1,200 of 2,000 units (50 %), 20.00 per s, 4 min left; "
        + "slowest: rank 1 on node1, 20 %")
  }

  @Test("A process alone has no slowest rank")
  func alone() {
    #expect(
      ProgressLine(job([(1, 4, 1, 2)]), seconds: 8).text(width: .max)
        == "scoring: 1 of 4 units (50 %), 0.1250 per s, 8 s left")
  }

  @Test("Until every rank has reported the total is open and nothing is estimated")
  func notAll() {
    let line = ProgressLine(job([(1, 4, 1, 2), nil]), seconds: 8)
    #expect(line.secondsLeft == nil)
    #expect(line.text(width: .max).hasPrefix("scoring: 1 of 4+ units (50 %), 0.1250 per s; slow"))
  }

  @Test("The end tells how long it took")
  func end() {
    let line = ProgressLine(job([(4, 4, 2, 2), (0, 0, 0, 0)]), seconds: 8)
    #expect(line.isComplete && line.share == 1 && line.secondsLeft == nil)
    #expect(line.text(width: .max) == "scoring: 4 of 4 units (100 %), 0.5000 per s, took 8 s")
  }

  @Test("No line is wider than the terminal", arguments: 0...110)
  func width(width: Int) {
    let line = ProgressLine(job([(900, 1000, 80, 100), (300, 1000, 20, 100)]), seconds: 60)
    let text = line.text(width: width)
    #expect(text.count <= width)
    if width >= 40 { #expect(text.hasPrefix("scoring: 1,200 of 2,000 units (50 %)")) }
  }

  @Test(
    "Durations in the unit one would say",
    arguments: [
      (0.0, "0 s"), (119.4, "119 s"), (120, "2 min"), (3600, "60 min"), (7500, "2 h 5 min"),
      (172_800, "2 d 0 h"), (1e12, "years"),
    ])
  func durations(seconds: Double, text: String) {
    #expect(ProgressLine.duration(seconds) == text)
  }

  @Test("Lines come after 10 s, then ever more seldom up to every 5 min")
  func pace() {
    var pace = ProgressPace()
    let due = (0...2000).filter { pace.isDue(seconds: Double($0), share: 0.01) }
    #expect(due == [10, 20, 40, 80, 160, 320, 620, 920, 1220, 1520, 1820])
  }

  @Test("Each tenth of the work gives a line, ten seconds apart at least; so does the end")
  func tenths() {
    var pace = ProgressPace()
    let due = (0...100).filter { pace.isDue(seconds: Double($0), share: Double($0) / 100) }
    #expect(due == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    var short = ProgressPace()
    let tooShort = (0...9).filter { short.isDue(seconds: Double($0), share: Double($0) / 9) }
    #expect(tooShort.isEmpty)
    var ended = ProgressPace()
    let ends = [(10, 0.9), (11, 1), (12, 1)].map { ended.isDue(seconds: $0, share: $1) }
    #expect(ends == [true, true, false])
  }
}
