internal import Collectives
internal import FoundationEssentials
internal import OpenMPICollectives
internal import Workflow

/// Runs one benchmark, alone or under mpirun, and prints its report.
enum Bench {
  /// A benchmark, generic over the communicator, which a closure cannot be.
  protocol Work {
    associatedtype Report: Encodable
    var name: String { get }
    var options: BenchOptions { get }
    /// Collective; what rank 0 returns is printed.
    func measure(over world: borrowing some Collective & ~Copyable) throws -> Report
  }

  static func run(_ work: some Work) throws {
    ComputeSetup.setThreads(work.options.threads)
    if MPILauncher.isPresent {
      // A rank that fails alone would leave the others waiting; a benchmark has nothing to save.
      MPISession.run { world in
        do { try perform(work, over: world) } catch {
          print("layerbudget-bench: rank \(world.rank): \(error)")
          world.abort(code: 70)
        }
      }
    } else {
      try perform(work, over: SoloCollective())
    }
  }

  private static func perform(
    _ work: some Work, over world: borrowing some Collective & ~Copyable
  ) throws {
    let result = try work.measure(over: world)
    guard world.rank == 0 else { return }
    let report = Header(
      benchmark: work.name, ranks: world.size, threads: work.options.threads,
      blasCore: ComputeSetup.blasCoreName, results: result)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    print(String(decoding: try encoder.encode(report), as: UTF8.self))
  }

  /// What a figure means nothing without.
  private struct Header<Results: Encodable>: Encodable {
    let benchmark: String
    let ranks: Int
    let threads: Int
    let blasCore: String
    let results: Results

    enum CodingKeys: String, CodingKey {
      case benchmark, ranks, threads, results
      case blasCore = "blas_core"
    }
  }
}
