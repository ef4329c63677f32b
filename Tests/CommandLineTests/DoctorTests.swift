import Foundation
import TestSupport
import Testing

@Suite("doctor and start-up checks", .serialized)
struct DoctorTests {
  private struct Report: Decodable {
    struct Host: Decodable {
      let ranks: Int
      let processors: Int
    }
    struct Finding: Decodable {
      let severity: String
      let text: String
    }
    let ranks: Int
    let hosts: [Host]
    let findings: [Finding]
  }

  private func report(_ outcome: Tool.Outcome) throws -> Report {
    try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
  }

  @Test("Says what it finds, alone and under mpirun", arguments: [nil, 2, 3])
  func machine(ranks: Int?) throws {
    try temporaryFolder { folder in
      let outcome = try Tool.run(
        [
          "doctor", "--json", "--statistics", Tool.exampleStatistics, "--checkpoint",
          Tool.exampleModel, "-o", folder + "/plan.json",
        ], ranks: ranks)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let report = try report(outcome)
      #expect(report.ranks == ranks ?? 1)
      #expect(report.hosts.map(\.ranks) == [ranks ?? 1])
      #expect(report.hosts[0].processors > 0)
      #expect(report.findings.allSatisfy { $0.severity != "error" })
      #expect(report.findings.contains { $0.text.contains("12 units") })
      #expect(files(in: folder) == [])
    }
  }

  @Test("Bad inputs are findings, and the last word is the exit code", arguments: [nil, 2])
  func badInputs(ranks: Int?) throws {
    let outcome = try Tool.run(
      ["doctor", "--json", "--statistics", "/nowhere", "-o", "/nowhere/plan.json"], ranks: ranks)
    #expect(outcome.status == 78)
    let errors = try report(outcome).findings.filter { $0.severity == "error" }
    #expect(errors.count == 2)
    #expect(outcome.errors.contains("2 of the findings above"))
  }

  @Test("Ranks with other BLAS kernels are refused, or allowed with a note")
  func kernels() throws {
    try temporaryFolder { folder in
      let arguments = [
        "score", "--statistics", Tool.exampleStatistics, "-o", folder + "/s.json",
      ]
      let refused = try Tool.run(arguments, environments: [["OPENBLAS_CORETYPE": "Prescott"], [:]])
      #expect(refused.status == 78)
      #expect(refused.errors.contains("different BLAS kernels"), "\(refused.errors)")
      #expect(refused.errors.contains("--allow-mixed"))
      #expect(files(in: folder) == [])
      let allowed = try Tool.run(
        arguments + ["--allow-mixed"], environments: [["OPENBLAS_CORETYPE": "Prescott"], [:]])
      #expect(allowed.status == 0)
      #expect(allowed.errors.contains("note: the ranks use different BLAS kernels"))
    }
  }

  @Test("Another build on one rank is refused")
  func builds() throws {
    try temporaryFolder { folder in
      let other = folder + "/layerbudget"
      try FileManager.default.copyItem(atPath: Tool.path, toPath: other)
      let handle = try #require(FileHandle(forWritingAtPath: other))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data([0]))
      try handle.close()
      let outcome = try Tool.run(
        ["score", "--statistics", Tool.exampleStatistics, "-o", folder + "/s.json"],
        environments: [[:], [:]], executables: [Tool.path, other])
      #expect(outcome.status == 78)
      #expect(outcome.errors.contains("different builds of layerbudget"), "\(outcome.errors)")
      #expect(files(in: folder) == ["layerbudget"])
    }
  }

  @Test("A launcher that does not make one job of its processes is noticed")
  func launcher() throws {
    try temporaryFolder { folder in
      for (environment, speaks) in [
        (["SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"], true),
        (["SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "2"], false),
      ] {
        let outcome = try Tool.run(
          ["score", "--statistics", Tool.exampleStatistics, "-o", folder + "/s.json"],
          environment: environment)
        #expect(outcome.status == 78)
        #expect(outcome.errors.contains("the launcher started 4 processes") == speaks)
        #expect(files(in: folder) == [])
      }
    }
  }
}
