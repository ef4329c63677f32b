internal import Checkpoints
public import Collectives
internal import Curvature
internal import PlanFiles
internal import TensorFiles

/// `layerbudget doctor`: what this machine and this job look like, and whether given inputs and output
/// would work here. Writes nothing but a file that is gone again.
public struct DoctorRequest: Sendable {
  public var checks: StartupChecks
  public var statistics: StatisticsRequest?
  public var checkpoint: String?
  /// The output, a file or folder that need not be there.
  public var output: String?

  public init(checks: StartupChecks) {
    self.checks = checks
  }

  /// Looks at everything, also behind the first trouble. Collective: every rank calls; the report at
  /// rank 0, nil elsewhere.
  public func run(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> DoctorReport? {
    let facts = try checks.facts(over: world)
    var findings = facts.findings(allowsMixed: checks.allowsMixed)
    findings.insert(launcher(facts, ranks: world.size), at: 0)
    let latency = world.size > 1 ? Self.allreduceSeconds(over: world) : nil
    if let latency { findings.append(Self.finding(latency: latency)) }
    findings += inputFindings(over: world)
    if let output { findings += outputFindings(output, over: world) }
    guard world.rank == 0 else { return nil }
    return DoctorReport(
      facts, blas: ComputeThreads.configuration, allreduceSeconds: latency, findings: findings)
  }

  /// Ends with `misconfigured` where a run could not be trusted. Collective; the report is rank 0's.
  public static func requireHealth(
    _ report: DoctorReport?, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    var errors = [Double(report?.findings.count { $0.severity == .error } ?? 0)]
    world.maximum(&errors)
    guard errors[0] == 0 else {
      throw Failure(
        .misconfigured,
        "\(Int(errors[0])) of the findings above would spoil a run; see what they advise")
    }
  }

  // MARK: The launcher

  private func launcher(_ facts: JobFacts, ranks: Int) -> StartupFinding {
    if let trouble = checks.strangeLauncher(ranks: ranks) { return .error(trouble) }
    guard ranks == 1 else {
      return .good("\(ranks) ranks on \(HostList.text(facts.ranks.map(\.host)))")
    }
    let processors = facts.ranks.first?.processors.allowed.count ?? 1
    return .good(
      "one process; mpirun -n \(max(processors, 1)) would start one rank for each processor here")
  }

  /// The middle one of 21 allreduces. Collective.
  private static func allreduceSeconds(over world: borrowing some Collective & ~Copyable) -> Double
  {
    let clock = ContinuousClock()
    var values = [Double](repeating: 1, count: 64)
    let times = (0..<21).map { _ in clock.measure { world.maximum(&values) }.inSeconds }
    return times.sorted()[times.count / 2]
  }

  private static func finding(latency: Double) -> StartupFinding {
    let text = "an allreduce takes \(NumberText.latency(latency))"
    return latency < 0.002
      ? .good(text)
      : .note(
        text
          + ", where under 1 ms is usual; ranks that wait may keep processors from ranks that work: try "
          + "mpirun --mca mpi_yield_when_idle 1, fewer ranks per host, or a faster network")
  }

  // MARK: Inputs and output

  private func inputFindings(over world: borrowing some Collective & ~Copyable) -> [StartupFinding]
  {
    var findings: [StartupFinding] = []
    if let statistics {
      do throws(Failure) {
        let opened = try statistics.open(over: world)
        findings.append(
          .good(
            "\(statistics.path): \(opened.units.count) units, the same on all ranks"))
        findings += MemoryDemand.findings(try statistics.memoryDemands(of: opened, over: world))
      } catch {
        findings.append(.error(error.message))
      }
    }
    if let checkpoint {
      do throws(Failure) {
        let opened = try agreed(over: world) { () throws(Failure) in
          do throws(CheckpointError) { return try Checkpoint(path: checkpoint) } catch {
            throw Failure(error)
          }
        }
        try requireSameTensors(opened, what: checkpoint, over: world)
        findings.append(
          .good(
            "\(checkpoint): \(NumberText.bytes(opened.totalByteCount)) of tensors, the same on all "
              + "ranks"))
      } catch {
        findings.append(.error(error.message))
      }
    }
    return findings
  }

  private func outputFindings(
    _ output: String, over world: borrowing some Collective & ~Copyable
  ) -> [StartupFinding] {
    let folder = DurableFolder.parent(of: output)
    do throws(Failure) {
      try OutputDocuments(path: output).requireWritable(over: world)
      try requireSharedFolder(folder, over: world)
    } catch {
      return [.error(error.message)]
    }
    let room = DiskSpace.free(at: folder).map { ", \(NumberText.bytes($0)) free" } ?? ""
    return [.good("\(output): can be written, and all hosts see its folder\(room)")]
  }
}
