import Collectives
import Foundation
import TestSupport
import Testing

@testable import Workflow

@Suite("Start-up checks")
struct StartupTests {
  private func rank(
    _ rank: Int, on host: String, build: String = "b", mpi: String = "M", core: String = "Zen",
    threads: Int = 1, processors: [Int] = [0, 1, 2, 3], quota: Double? = nil
  ) -> RankFacts {
    RankFacts(
      rank: rank, host: host, build: build, mpi: mpi, blasCore: core, blasThreads: threads,
      processors: Processors(allowed: processors, quota: quota))
  }

  private func troubles(_ ranks: [RankFacts], mixed: Bool = false) -> [StartupFinding] {
    JobFacts(ranks: ranks).findings(allowsMixed: mixed).filter { $0.severity != .good }
  }

  @Test("Equal ranks with a processor for every thread: nothing to say")
  func healthy() {
    let ranks = (0..<4).map { rank($0, on: "n\($0 / 2)", threads: 2) }
    #expect(troubles(ranks).isEmpty)
    #expect(JobFacts(ranks: ranks).findings(allowsMixed: false).count == 5)
  }

  @Test("Different kernels or threads are an error that names the hosts; allowed, a note")
  func mixed() {
    let cores = (0..<5).map { rank($0, on: "n\($0)", core: $0 == 3 ? "Haswell" : "Zen") }
    #expect(troubles(cores).map(\.severity) == [.error])
    #expect(
      troubles(cores)[0].text.contains("Zen on n[0-2,4], Haswell on n3"), "\(troubles(cores))")
    #expect(troubles(cores, mixed: true).map(\.severity) == [.note])
    let threads = (0..<2).map { rank($0, on: "n\($0)", threads: $0 + 1) }
    #expect(troubles(threads).map(\.severity) == [.error])
    #expect(troubles(threads, mixed: true).map(\.severity) == [.note])
  }

  @Test("Different builds are an error, whatever is allowed; different MPI libraries a note")
  func builds() {
    let builds = [rank(0, on: "a"), rank(1, on: "b", build: "c")]
    #expect(troubles(builds, mixed: true).map(\.severity) == [.error])
    let libraries = [rank(0, on: "a"), rank(1, on: "b", mpi: "N")]
    #expect(troubles(libraries).map(\.severity) == [.note])
  }

  @Test("More threads than processors, a rank bound too narrowly, a quota: a note each")
  func processors() {
    let crowded = (0..<3).map { rank($0, on: "n1", threads: 2) } + [rank(3, on: "n2", threads: 2)]
    #expect(troubles(crowded).map(\.severity) == [.note])
    #expect(
      troubles(crowded)[0].text.hasPrefix(
        "n1: 3 ranks with 6 threads in all share 4 processors"), "\(troubles(crowded))")
    let narrow = (0..<4).map { rank($0, on: "n\($0 / 2)", threads: 2, processors: [$0 % 2]) }
    #expect(troubles(narrow).count == 1)
    #expect(
      troubles(narrow)[0].text.hasPrefix("n[0-1]: a rank may use 1 processor for its 2 threads"),
      "\(troubles(narrow))")
    let limited = (0..<4).map { rank($0, on: "n1", quota: 2.5) }
    #expect(troubles(limited).map(\.text).first?.contains("the time of 2.500 processors") == true)
    // A kernel that says nothing of processors is no trouble.
    #expect(troubles([rank(0, on: "a", threads: 9, processors: [])]).isEmpty)
  }

  @Test(
    "Names of hosts are folded in natural order",
    arguments: [
      (["b", "a"], "a and b"), (["n10", "n2", "n1", "n3", "n1"], "n[1-3,10]"),
      (["n09", "n10", "n08"], "n[08-10]"), (["n1", "n01"], "n01 and n1"),
      (["login", "n7"], "login and n7"), ([], "no host"), (["1", "2"], "[1-2]"),
      (["r1n1", "r1n2", "r2n1"], "r1n[1-2] and r2n1"),
    ] as [([String], String)])
  func folding(hosts: [String], text: String) {
    #expect(HostList.text(hosts) == text)
  }

  @Test("Processors are read from the mask and from control groups of both versions")
  func reading() throws {
    #expect(Processors.numbers(in: "\t0-3,8") == [0, 1, 2, 3, 8])
    #expect(Processors.numbers(in: "5") == [5])
    #expect(Processors.numbers(in: "3-1,x") == [])
    let unified = "26 24 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    #expect(
      try processors([
        "/proc/self/status": "Name:\tx\nCpus_allowed_list:\t0,2-3\n",
        "/proc/self/mountinfo": unified, "/proc/self/cgroup": "0::/a/b\n",
        "/sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
        "/sys/fs/cgroup/a/cpu.max": "150000 100000\n",
      ]) == Processors(allowed: [0, 2, 3], quota: 1.5))
    let old = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
    #expect(
      try processors([
        "/proc/self/mountinfo": old, "/proc/self/cgroup": "5:cpu,cpuacct:/x\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "400000\n",
        "/sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n",
      ]) == Processors(allowed: [], quota: 4))
    #expect(!Processors().allowed.isEmpty)
  }

  private func processors(_ files: [String: String]) throws -> Processors {
    try temporaryFolder { folder in
      for (path, text) in files {
        let url = URL(filePath: folder + path)
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
      }
      return Processors(root: folder)
    }
  }

  @Test("A build is known by its bytes, not by its place")
  func identity() throws {
    try temporaryFolder { folder in
      let bytes = Data((0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
      try bytes.write(to: URL(filePath: folder + "/a"))
      try bytes.write(to: URL(filePath: folder + "/b"))
      var other = bytes
      other[100] ^= 1
      try other.write(to: URL(filePath: folder + "/c"))
      try bytes.dropLast().write(to: URL(filePath: folder + "/d"))
      let own = BuildIdentity.of(folder + "/a")
      #expect(own != nil && own == BuildIdentity.of(folder + "/b"))
      #expect(own != BuildIdentity.of(folder + "/c"))
      #expect(own != BuildIdentity.of(folder + "/d"))
      #expect(BuildIdentity.of(folder + "/none") == nil)
    }
    #expect(BuildIdentity.own != "unknown")
  }

  @Test("Ranks of one host share its memory")
  func memory() {
    let rank = MemoryDemand(host: "n1", bytes: 600_000_000, available: 1_000_000_000)
    #expect(MemoryDemand.findings([rank]).map(\.severity) == [.good])
    let two = MemoryDemand.findings([rank, rank])
    #expect(two.map(\.severity) == [.error])
    #expect(two[0].text.contains("2 ranks will hold about 1.2 GB of at most 1.0 GB"))
    var elsewhere = rank
    elsewhere.host = "n2"
    #expect(MemoryDemand.findings([rank, elsewhere]).map(\.severity) == [.good])
    let unknown = MemoryDemand(host: "n1", bytes: .max / 2, available: nil)
    #expect(MemoryDemand.findings([unknown]).map(\.severity) == [.good])
  }

  @Test("A launcher of another MPI is seen by the processes it started")
  func launcher() {
    var checks = StartupChecks(mpi: "Open MPI v4.1.4, package: Debian")
    #expect(checks.strangeLauncher(ranks: 1) == nil)
    checks.startedProcesses = 4
    #expect(checks.strangeLauncher(ranks: 4) == nil)
    #expect(checks.strangeLauncher(ranks: 1)?.contains("started 4 processes") == true)
  }
}
