import Collectives
import Synchronization
import Testing

@testable import OpenMPICollectives

/// Runs on every rank of `mpirun … <test bundle> --testing-library swift-testing --filter RankedTests`.
///
/// One test, because MPI starts once per process and belongs to the thread that started it, while
/// the testing library may run each test on a thread of its own. Every rank must make the same
/// calls, so nothing is expected before the session has ended.
@Suite(
  "MPI obeys the laws of a collective", .serialized,
  .enabled(if: MPILauncher.isPresent, "needs mpirun"))
struct MPICollectiveTests {
  @Test("with whole arrays and with arrays cut into many MPI calls")
  func laws() {
    let observer = LastSeen()
    var watching = MPISession.Watching()
    watching.observer = observer
    let report = MPISession.run(watching) { world in
      var report = Report(rank: world.rank, size: world.size, hostName: world.hostName)

      var laws = CollectiveLaws()
      laws.check(world)
      report.violations += laws.violations

      // Three elements per call: almost every length leaves a remainder.
      var cutLaws = CollectiveLaws()
      cutLaws.seed = 11
      cutLaws.rounds = 100
      cutLaws.large = 1000
      cutLaws.check(world.limitingCounts(to: 3))
      report.violations += cutLaws.violations

      // More than one widened part of a sum.
      var values = [Int128](repeating: Int128(world.rank), count: 1 << 18 + 1)
      world.sum(&values)
      let total = Int128(world.size * (world.size - 1) / 2)
      if !values.allSatisfy({ $0 == total }) { report.violations.append("a sum in two parts") }

      // Many reports cost few messages; the last one of every rank arrives by the end of the session.
      var steps = ProgressSteps(.scoring, work: Self.work(of: world.rank))
      for _ in 0..<Self.work(of: world.rank).count { world.report(steps.begin()) }
      world.barrier()
      world.report(steps.begin())
      world.report(steps.end())
      report.messages = world.watch.sent.reduce(0, +)
      return report
    }
    #expect(report.messages < 50)
    if report.rank == 0, report.size > 1 {
      let ranks = observer.job.withLock { $0?.ranks ?? [] }
      #expect(ranks.map(\.host) == Array(repeating: report.hostName, count: report.size))
      #expect(
        ranks.map(\.progress)
          == (0..<report.size).map { rank in
            var steps = ProgressSteps(.scoring, work: Self.work(of: rank))
            return steps.end()
          })
    }
    #expect(report.violations == [])
    #expect(report.size >= 1)
    #expect((0..<report.size).contains(report.rank))
    #expect(report.hostName != "")
    if let hint = MPILauncher.rankHint { #expect(hint == report.rank) }
    #expect(MPISession.libraryVersion.contains("MPI"))
  }

  /// Another number of steps on every rank; none on rank 1's successor.
  private static func work(of rank: Int) -> [Double] {
    Array(repeating: Double(rank + 1), count: rank == 2 ? 0 : 1000 + rank)
  }

  private final class LastSeen: ProgressObserver {
    let job = Mutex<JobProgress?>(nil)
    func observe(_ job: JobProgress) { self.job.withLock { $0 = job } }
    func endStep() {}
  }

  private struct Report {
    var rank: Int
    var size: Int
    var hostName: String
    var violations: [String] = []
    var messages = 0
  }
}
