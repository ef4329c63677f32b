/// What `layerbudget doctor` found: the machine, the job, and what to change.
public struct DoctorReport: Codable, Sendable, Equatable {
  public static let format = "layerbudget.doctor/1"

  public struct Host: Codable, Sendable, Equatable {
    public var name: String
    public var ranks: Int
    /// Processors in the affinity masks of the host's ranks together.
    public var processors: Int
    /// Processors' worth of time that control groups leave, nil without a limit.
    public var processorQuota: Double?
    /// BLAS threads of all ranks together.
    public var threads: Int
    public var blasCore: String
    public var memoryBytes: Int?

    enum CodingKeys: String, CodingKey {
      case name, ranks, processors, threads
      case processorQuota = "processor_quota"
      case blasCore = "blas_core"
      case memoryBytes = "memory_bytes"
    }
  }

  public var format = DoctorReport.format
  public var version: String
  public var build: String
  /// The words in which the MPI library describes itself.
  public var mpi: String
  /// OpenBLAS with its options.
  public var blas: String
  public var ranks: Int
  public var hosts: [Host]
  /// Median time of an allreduce of 64 numbers; nil for a process alone.
  public var allreduceSeconds: Double?
  public var findings: [StartupFinding]

  enum CodingKeys: String, CodingKey {
    case format, version, build, mpi, blas, ranks, hosts, findings
    case allreduceSeconds = "allreduce_seconds"
  }

  init(_ facts: JobFacts, blas: String, allreduceSeconds: Double?, findings: [StartupFinding]) {
    let first = facts.ranks.first
    version = first?.version ?? LayerBudgetVersion.current
    build = first?.build ?? "unknown"
    mpi = first?.mpi ?? "unknown"
    self.blas = blas
    ranks = facts.ranks.count
    hosts = facts.hosts.map { name, ranks in
      Host(
        name: name, ranks: ranks.count,
        processors: Set(ranks.flatMap(\.processors.allowed)).count,
        processorQuota: ranks.compactMap(\.processors.quota).min(),
        threads: ranks.reduce(0) { $0 + $1.blasThreads },
        blasCore: Set(ranks.map(\.blasCore)).sorted().joined(separator: ", "),
        memoryBytes: ranks.compactMap(\.memoryBytes).min())
    }
    self.allreduceSeconds = allreduceSeconds
    self.findings = findings
  }
}
