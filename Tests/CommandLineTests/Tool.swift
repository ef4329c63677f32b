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
    try Running(limit + command(arguments, ranks: ranks), environment).finish()
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
    let launcher = limit + ["mpirun", "-q", "--oversubscribe"]
    return try Running(launcher + ranks.joined(separator: [":"])).finish()
  }

  /// Runs one rank in each of the folders: relative paths are other files for every rank, as on hosts
  /// whose disks are not shared.
  static func run(_ arguments: [String], inFolders folders: [String]) throws -> Outcome {
    let contexts = folders.map { ["-n", "1", "-wdir", $0, path] + arguments }
    let launcher = limit + ["mpirun", "-q", "--oversubscribe"]
    return try Running(launcher + contexts.joined(separator: [":"])).finish()
  }

  /// Starts the tool, for a test that does something to it. It must be waited for.
  ///
  /// All ranks share one core, so that it takes its time on machines with many.
  static func start(_ arguments: [String], ranks: Int? = nil) throws -> Running {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let allowed = try #require(status.firstMatch(of: #/Cpus_allowed_list:\s*(\d+)/#)).1
    return try Running(["taskset", "-c", String(allowed)] + command(arguments, ranks: ranks))
  }

  /// A run that hangs is ended.
  private static let limit = ["timeout", "-k", "5", "120"]

  private static func command(_ arguments: [String], ranks: Int?) -> [String] {
    let launcher = ranks.map { ["mpirun", "-q", "-n", "\($0)", "--oversubscribe"] } ?? []
    return launcher + [path] + arguments
  }

  /// A command at work.
  struct Running {
    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    fileprivate init(_ command: [String], _ variables: [String: String] = [:]) throws {
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = command
      var environment = ProcessInfo.processInfo.environment
      environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
      environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
      environment["OMPI_MCA_mpi_yield_when_idle"] = "1"
      environment["OMPI_MCA_hwloc_base_binding_policy"] = "none"
      environment["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none"
      process.environment = environment.merging(variables) { _, new in new }
      process.standardOutput = output
      process.standardError = errors
      process.standardInput = FileHandle.nullDevice
      // A child inherits what its parent's thread blocks, and threads of a test block every signal.
      var (none, blocked) = (sigset_t(), sigset_t())
      unsafe sigemptyset(&none)
      unsafe pthread_sigmask(SIG_SETMASK, &none, &blocked)
      defer { unsafe pthread_sigmask(SIG_SETMASK, &blocked, nil) }
      try process.run()
    }

    /// Of the launcher, or of the tool alone: `env` has become it.
    var pid: Int32 { process.processIdentifier }

    var isRunning: Bool { process.isRunning }

    /// Processes of the ranks, in the order in which the launcher started them.
    var ranks: [Int32] {
      let tasks = "/proc/\(pid)/task"
      let children = files(in: tasks).flatMap { task in
        ((try? String(contentsOfFile: "\(tasks)/\(task)/children", encoding: .utf8)) ?? "")
          .split(separator: " ").compactMap { Int32($0) }
      }
      return children.sorted().filter {
        ((try? String(contentsOfFile: "/proc/\($0)/cmdline", encoding: .utf8)) ?? "")
          .hasPrefix(Tool.path)
      }
    }

    func end() { kill(pid, SIGKILL) }

    /// Waits for its end.
    func finish() -> Outcome {
      // Errors are few and fit the pipe; the output may be long and is read while the tool runs.
      let printed = output.fileHandleForReading.readDataToEndOfFile()
      let complained = errors.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return Outcome(
        status: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
        errors: String(decoding: complained, as: UTF8.self))
    }
  }
}

/// Names of the files in a folder, hidden ones included.
func files(in folder: String) -> [String] {
  ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
}

func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

/// How often a text occurs in a longer one.
func occurrences(of text: String, in whole: String) -> Int {
  whole.components(separatedBy: text).count - 1
}
