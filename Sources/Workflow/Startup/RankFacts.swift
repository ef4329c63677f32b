internal import Curvature
internal import Glibc

/// What one rank knows of itself at its start.
struct RankFacts: Codable, Sendable, Equatable {
  var rank: Int
  var host: String
  var process: Int
  /// Version and identity of the executable.
  var version: String
  var build: String
  /// The words in which the MPI library describes itself.
  var mpi: String
  /// Kernel family that OpenBLAS chose for this processor.
  var blasCore: String
  /// As BLAS has them after it was told.
  var blasThreads: Int
  var processors: Processors
  /// What this process may use of the host's memory, nil where the kernel does not say.
  var memoryBytes: Int?

  enum CodingKeys: String, CodingKey {
    case rank, host, process, version, build, mpi, processors
    case blasCore = "blas_core"
    case blasThreads = "blas_threads"
    case memoryBytes = "memory_bytes"
  }

  init(
    rank: Int, host: String, process: Int = 0, version: String = LayerBudgetVersion.current,
    build: String, mpi: String, blasCore: String, blasThreads: Int, processors: Processors,
    memoryBytes: Int? = nil
  ) {
    self.rank = rank
    self.host = host
    self.process = process
    self.version = version
    self.build = build
    self.mpi = mpi
    self.blasCore = blasCore
    self.blasThreads = blasThreads
    self.processors = processors
    self.memoryBytes = memoryBytes
  }

  /// Of this process.
  static func own(rank: Int, mpi: String) -> RankFacts {
    RankFacts(
      rank: rank, host: HostName.own, process: Int(getpid()), build: BuildIdentity.own, mpi: mpi,
      blasCore: ComputeThreads.coreName, blasThreads: ComputeThreads.current,
      processors: Processors(), memoryBytes: (try? NodeMemory())?.bytes)
  }
}
