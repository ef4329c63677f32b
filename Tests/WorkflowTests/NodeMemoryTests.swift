import Collectives
import Foundation
import TestSupport
import Testing

@testable import Workflow

@Suite("Memory of nodes")
struct NodeMemoryTests {
  /// A file system of a few small files, by their paths.
  private func reading(_ files: [String: String]) throws -> NodeMemory {
    try temporaryFolder { folder in
      for (path, text) in files {
        let url = URL(filePath: folder + path)
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
      }
      return try NodeMemory(root: folder)
    }
  }

  private let meminfo = "MemTotal:       24684096 kB\nMemFree:        18732560 kB\n"
  private let unified =
    "26 24 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

  @Test("Without control groups all of the physical memory counts")
  func physical() throws {
    let memory = try reading(["/proc/meminfo": meminfo])
    #expect(memory.physical == 24_684_096 * 1024)
    #expect(memory.limit == nil)
    #expect(memory.bytes == 24_684_096 * 1024)
  }

  @Test("Version 2: the smallest limit from the own group up to the root counts")
  func versionTwo() throws {
    var files = [
      "/proc/meminfo": meminfo, "/proc/self/mountinfo": unified,
      "/proc/self/cgroup": "0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_0\n",
      "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0/user/task_0/memory.max": "max\n",
      "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0/memory.max": "8589934592\n",
      "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/memory.max": "4294967296\n",
      "/sys/fs/cgroup/system.slice/memory.max": "max\n",
      // Of another job.
      "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_8/memory.max": "1024\n",
    ]
    #expect(try reading(files).bytes == 4_294_967_296)
    files["/sys/fs/cgroup/system.slice/memory.max"] = "1073741824\n"
    #expect(try reading(files).bytes == 1_073_741_824)
  }

  @Test("Version 1: the largest possible number is no limit; other controllers do not matter")
  func versionOne() throws {
    let mounts =
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      + "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    var files = [
      "/proc/meminfo": meminfo, "/proc/self/mountinfo": mounts,
      "/proc/self/cgroup": "5:cpu:/x\n4:memory:/slurm/uid_0/job_3\n0::/\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "/sys/fs/cgroup/memory/slurm/uid_0/job_3/memory.limit_in_bytes": "9223372036854771712\n",
      "/sys/fs/cgroup/cpu/x/memory.limit_in_bytes": "5\n",
    ]
    #expect(try reading(files).bytes == 24_684_096 * 1024)
    files["/sys/fs/cgroup/memory/slurm/memory.limit_in_bytes"] = "2147483648\n"
    #expect(try reading(files).bytes == 2_147_483_648)
  }

  @Test("In a container the mount begins at the container's group")
  func container() throws {
    let mounts =
      "35 31 0:32 /docker/abc /sys/fs/cgroup/memory\\040x rw - cgroup cgroup rw,memory,hugetlb\n"
    let files = [
      "/proc/meminfo": meminfo, "/proc/self/mountinfo": mounts,
      "/proc/self/cgroup": "4:hugetlb,memory:/docker/abc/inner\n",
      "/sys/fs/cgroup/memory x/memory.limit_in_bytes": "536870912\n",
      "/sys/fs/cgroup/memory x/inner/memory.limit_in_bytes": "1073741824\n",
    ]
    #expect(try reading(files).bytes == 536_870_912)
    // A group that the container does not see: the mount point still binds.
    var elsewhere = files
    elsewhere["/proc/self/cgroup"] = "4:hugetlb,memory:/docker/other\n"
    #expect(try reading(elsewhere).bytes == 536_870_912)
  }

  @Test("A machine that does not say is refused with what to do")
  func silent() throws {
    for text in ["", "MemFree: 1 kB\n", "MemTotal: many kB\n", "MemTotal: 5 MB\n"] {
      do {
        _ = try reading(["/proc/meminfo": text])
        Issue.record("\(text) was accepted")
      } catch let failure as Failure {
        #expect(failure.code == .missingInput)
        #expect(failure.message.contains("MemTotal"))
      }
    }
  }

  @Test("This machine answers")
  func real() throws {
    let memory = try NodeMemory()
    #expect(memory.physical > 1 << 26)
    #expect(memory.bytes > 0 && memory.bytes <= memory.physical)
    let nodes = try nodeMemories(over: SoloCollective())
    #expect(nodes.count == 1 && nodes[0].bytes == memory.bytes && !nodes[0].host.isEmpty)
  }

  @Test(
    "Hosts are counted once, in natural order, and alike on every rank", arguments: [1, 2, 5, 7])
  func agreement(ranks: Int) throws {
    let hosts = ["n10", "n2", "n2", "n10", "login", "n2", "n1"]
    let results = try ThreadedCollective.run(ranks: ranks) { world throws(Failure) in
      let rank = world.rank
      return try nodeMemories(host: hosts[rank], over: world) { () throws(Failure) in
        1000 - rank
      }.map { "\($0.host) \($0.bytes)" }
    }
    let expected = [
      1: ["n10 1000"], 2: ["n2 999", "n10 1000"], 5: ["login 996", "n2 998", "n10 997"],
      7: ["login 996", "n1 994", "n2 995", "n10 997"],
    ]
    for result in results { #expect(result == expected[ranks]) }
  }

  @Test("A rank that does not learn its memory ends all alike")
  func oneFails() {
    #expect {
      _ = try ThreadedCollective.run(ranks: 3) { world throws(Failure) in
        let rank = world.rank
        return try nodeMemories(host: "h", over: world) { () throws(Failure) in
          guard rank != 1 else { throw Failure(.missingInput, "no MemTotal") }
          return 5
        }.count
      }
    } throws: { error in
      (error as? Failure)?.code == .missingInput && "\(error)".contains("rank 1")
    }
  }
}
