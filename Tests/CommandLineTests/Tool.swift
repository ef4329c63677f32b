import Foundation
import Testing

/// The built command, run as a user runs it.
enum Tool {
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String
  }

  /// The executable beside the test bundle.
  static var path: String {
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("layerbudget").path
  }

  /// Root of the package, found from this file.
  static var repository: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
  }

  /// Factors that the real kronfluence wrote, strategy ekfac.
  static var kronfluenceFactors: String {
    repository + "/Tests/CurvatureTests/Fixtures/kronfluence/ekfac"
  }

  static var exampleModel: String { repository + "/docs/example/model" }

  static var exampleStatistics: String { repository + "/docs/example/statistics.safetensors" }

  /// Runs the tool alone, or on `ranks` ranks of an oversubscribed mpirun. A run that hangs is
  /// ended after two minutes and fails with 124.
  static func run(
    _ arguments: [String], ranks: Int? = nil, environment: [String: String] = [:]
  ) throws -> Outcome {
    let launcher = ranks.map { ["mpirun", "-q", "-n", "\($0)", "--oversubscribe"] } ?? []
    return try launch(launcher + [path] + arguments, environment)
  }

  /// Runs a rank for every environment, each with variables of its own, and with an executable of its own
  /// where they are given.
  static func run(
    _ arguments: [String], environments: [[String: String]], executables: [String]? = nil
  ) throws -> Outcome {
    let ranks = environments.enumerated().map { rank, variables in
      ["-n", "1"] + variables.flatMap { ["-x", "\($0.key)=\($0.value)"] }
        + [executables?[rank] ?? path] + arguments
    }
    return try launch(["mpirun", "-q", "--oversubscribe"] + ranks.joined(separator: [":"]), [:])
  }

  private static func launch(
    _ command: [String], _ variables: [String: String]
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["timeout", "-k", "5", "120"] + command
    var environment = ProcessInfo.processInfo.environment
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    environment["OMPI_MCA_mpi_yield_when_idle"] = "1"
    environment["OMPI_MCA_hwloc_base_binding_policy"] = "none"
    environment["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none"
    process.environment = environment.merging(variables) { _, new in new }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    // Errors are few and fit the pipe; the output may be long and is read while the tool runs.
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    let complained = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
      errors: String(decoding: complained, as: UTF8.self))
  }
}

/// Names of the files in a folder, hidden ones included.
func files(in folder: String) -> [String] {
  ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
}

func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }
