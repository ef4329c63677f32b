internal import Curvature
internal import PlanFiles

/// What all ranks of a job know of themselves, judged together.
struct JobFacts: Codable, Sendable, Equatable {
  /// In the order of ranks.
  let ranks: [RankFacts]

  /// The ranks of every host, hosts in natural order.
  var hosts: [(name: String, ranks: [RankFacts])] {
    Dictionary(grouping: ranks) { NaturalName($0.host) }
      .sorted { $0.key < $1.key }.map { ($0.key.text, $0.value) }
  }

  /// Everything that can be said from the facts alone, errors first.
  ///
  /// - Parameter allowsMixed: take different BLAS kernels or threads for a note instead of an error.
  func findings(allowsMixed: Bool) -> [StartupFinding] {
    let all = [executables, kernels(allowsMixed), threads(allowsMixed), libraries] + processors
    return all.filter { $0.severity == .error } + all.filter { $0.severity != .error }
  }

  // MARK: The same everywhere

  private var executables: StartupFinding {
    let groups = values { "\($0.version) (build \($0.build))" }
    guard groups.count > 1 else { return .good("one build on all ranks: \(groups[0].value)") }
    return .error(
      "the ranks run different builds of layerbudget: \(Self.list(groups)); start the same executable "
        + "everywhere, from a disk that all hosts share")
  }

  private func kernels(_ allowsMixed: Bool) -> StartupFinding {
    let groups = values(\.blasCore)
    guard groups.count > 1 else { return .good("BLAS kernels are the same: \(groups[0].value)") }
    let text =
      "the ranks use different BLAS kernels: \(Self.list(groups)); the last bits of gains would depend "
      + "on who computes what"
    return allowsMixed
      ? .note(text + ", as --allow-mixed allows")
      : .error(
        text
          + "; choose one that all processors have, such as OPENBLAS_CORETYPE=Haswell (mpirun -x "
          + "OPENBLAS_CORETYPE), or allow it with --allow-mixed")
  }

  private func threads(_ allowsMixed: Bool) -> StartupFinding {
    let groups = values { "\($0.blasThreads)" }
    guard groups.count > 1 else {
      return .good("BLAS threads per rank are the same: \(groups[0].value)")
    }
    let text =
      "the ranks have different numbers of BLAS threads: \(Self.list(groups)); the last bits of gains "
      + "would depend on who computes what"
    return allowsMixed
      ? .note(text + ", as --allow-mixed allows")
      : .error(
        text
          + "; give --threads a number that every host's OpenBLAS was built for, or allow it with "
          + "--allow-mixed")
  }

  private var libraries: StartupFinding {
    let groups = values(\.mpi)
    guard groups.count > 1 else { return .good("one MPI library: \(groups[0].value)") }
    return .note(
      "the ranks use different MPI libraries: \(Self.list(groups)); install one version on all hosts"
    )
  }

  // MARK: Threads and processors

  /// One finding per kind of trouble, however many hosts have it.
  private var processors: [StartupFinding] {
    var narrow: [String: [String]] = [:]
    var crowded: [String: [String]] = [:]
    var limited: [String: [String]] = [:]
    for host in hosts {
      let threads = host.ranks.reduce(0) { $0 + $1.blasThreads }
      let processors = Set(host.ranks.flatMap(\.processors.allowed)).count
      guard processors > 0 else { continue }
      let work = "\(Self.count(host.ranks.count, "rank")) with \(Self.count(threads, "thread"))"
      if let rank = host.ranks.first(where: {
        $0.blasThreads > $0.processors.allowed.count && $0.processors.allowed.count < processors
      }) {
        narrow[
          "a rank may use \(Self.count(rank.processors.allowed.count, "processor")) for its "
            + Self.count(rank.blasThreads, "thread"), default: []
        ].append(host.name)
      } else if threads > processors {
        crowded["\(work) in all share \(Self.count(processors, "processor"))", default: []].append(
          host.name)
      }
      if let quota = host.ranks.compactMap(\.processors.quota).min(), Double(threads) > quota,
        quota < Double(processors)
      {
        limited[
          "\(work) in all get the time of \(NumberText.short(quota)) processors from their control "
            + "group", default: []
        ].append(host.name)
      }
    }
    let notes =
      Self.notes(
        narrow,
        "bind every rank to as many processors as it has threads (mpirun --map-by "
          + "ppr:N:node:PE=THREADS --bind-to core), or to none (--bind-to none)")
      + Self.notes(
        crowded,
        "take fewer ranks or --threads; or let waiting ranks yield (mpirun --mca mpi_yield_when_idle 1)"
      )
      + Self.notes(limited, "ask for more processors, or take fewer ranks or --threads")
    return notes.isEmpty ? [.good("every thread of every rank has a processor")] : notes
  }

  private static func notes(_ hosts: [String: [String]], _ advice: String) -> [StartupFinding] {
    hosts.sorted { $0.key < $1.key }.map {
      .note("\(HostList.text($0.value)): \($0.key); \(advice)")
    }
  }

  // MARK: Grouping

  /// The different values of a fact and the hosts that have them, the commonest first.
  private func values(
    _ fact: (RankFacts) -> String
  ) -> [(value: String, ranks: [RankFacts])] {
    Dictionary(grouping: ranks, by: fact)
      .sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
      .map { ($0.key, $0.value) }
  }

  private static func list(_ groups: [(value: String, ranks: [RankFacts])]) -> String {
    groups.map { "\($0.value) on \(HostList.text($0.ranks.map(\.host)))" }.joined(separator: ", ")
  }

  private static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }
}
