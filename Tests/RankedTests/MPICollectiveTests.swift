import Collectives
import OpenMPICollectives
import Testing

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
    let report = MPISession.run { world in
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
      return report
    }
    #expect(report.violations == [])
    #expect(report.size >= 1)
    #expect((0..<report.size).contains(report.rank))
    #expect(report.hostName != "")
    if let hint = MPILauncher.rankHint { #expect(hint == report.rank) }
    #expect(MPISession.libraryVersion.contains("MPI"))
  }

  private struct Report {
    var rank: Int
    var size: Int
    var hostName: String
    var violations: [String] = []
  }
}
