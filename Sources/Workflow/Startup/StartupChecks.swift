public import Collectives
internal import PlanFiles

/// What every command looks at before it begins, in two small messages.
public struct StartupChecks: Sendable {
  /// The words in which the MPI library describes itself.
  public var mpi: String
  /// Different BLAS kernels or threads are a note instead of an error.
  public var allowsMixed = false

  /// How many processes the launcher started, nil if nothing says so.
  public var startedProcesses: Int?

  public init(mpi: String) {
    self.mpi = mpi
  }

  /// Why this is no job of `ranks` ranks, nil if it is: a launcher that does not belong to this MPI
  /// makes every process rank 0 of 1, and all of them would write the same output.
  public func strangeLauncher(ranks: Int) -> String? {
    guard let startedProcesses, startedProcesses > ranks else { return nil }
    return "the launcher started \(startedProcesses) processes, but this one sees "
      + (ranks == 1 ? "only itself" : "\(ranks) ranks")
      + "; start it with the launcher of the MPI it was built with (\(mpi.prefix { $0 != "," })): its mpirun, or "
      + "srun --mpi=pmix"
  }

  /// Notes for the user; throws where the run could not be trusted.
  ///
  /// Every rank runs the same build with the same BLAS kernels and threads, and threads fit the
  /// processors. Collective: every rank calls; the same result, or the same failure, on every rank.
  /// - Complexity: one gather and one broadcast of O(ranks) short texts.
  public func run(over world: borrowing some Collective & ~Copyable) throws(Failure) -> [String] {
    if let trouble = strangeLauncher(ranks: world.size) { throw Failure(.misconfigured, trouble) }
    let findings = try facts(over: world).findings(allowsMixed: allowsMixed)
    let errors = findings.filter { $0.severity == .error }.map(\.text)
    guard errors.isEmpty else {
      throw Failure(.misconfigured, findings: errors)
    }
    return findings.filter { $0.severity == .note }.map(\.text)
  }

  /// What all ranks say of themselves, at every rank. Collective.
  func facts(over world: borrowing some Collective & ~Copyable) throws(Failure) -> JobFacts {
    let own = RankFacts.own(rank: world.rank, mpi: mpi)
    let gathered = try gatherUnits([IndexedUnit(index: world.rank, unit: own)], over: world)
    return try shared(JobFacts(ranks: gathered), over: world)
  }

  /// Rank 0's value at every rank. Collective.
  private func shared<Value: Codable>(
    _ value: Value, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> Value {
    guard world.size > 1 else { return value }
    let bytes = try agreed(over: world) { () throws(Failure) -> [UInt8] in
      do throws(PlanFileError) { return try DocumentCoding.encodeLine(value) } catch {
        throw Failure(error)
      }
    }
    let told = world.broadcast(bytes, from: 0)
    return try agreed(over: world) { () throws(Failure) in
      do throws(PlanFileError) {
        return try DocumentCoding.decode(Value.self, from: told, source: "facts of rank 0")
      } catch {
        throw Failure(error)
      }
    }
  }
}
