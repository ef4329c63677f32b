internal import CMPIShim
public import Collectives

/// The time between MPI_Init and MPI_Finalize: the length of one closure.
///
/// No object is left that could finalize too late or never: `exit` and forgotten globals cannot come
/// between, and a communicator cannot outlive its session.
public enum MPISession {
  /// The exit code of a run that MPI itself broke; EX_OSERR of sysexits.h.
  public static let communicationFailureCode: Int32 = 71

  /// The exit code of a run that was ended because ranks were stalled; EX_TEMPFAIL of sysexits.h, since
  /// the same command may well succeed.
  public static let stalledCode: Int32 = 75

  /// Longer than the keepalive of any sensible launcher, and than any usual unit of work.
  public static let standardStallTimeout = 600.0

  /// How ranks watch over each other.
  public struct Watching {
    /// Seconds without a sign of life from any rank after which a waiting rank ends the run; 0 for
    /// never. At least 2, since a rank says that it waits after 1.
    public var stallTimeout = MPISession.standardStallTimeout
    /// Is told at rank 0 how far all ranks have come.
    public var observer: (any ProgressObserver)?

    public init() {}
  }

  /// The words in which the MPI library describes itself; MPI need not be started.
  public static var libraryVersion: String {
    unsafe textFromMPI { unsafe cmpi_library_version($0) } ?? "unknown MPI library"
  }

  /// Starts MPI, runs `body` with the world of all ranks, stops MPI.
  ///
  /// Collective, on the main thread, once per process: MPI cannot start again. MPI is asked for
  /// MPI_THREAD_FUNNELED, so threads may run inside `body` but only its own thread may use the world;
  /// the compiler sees to that, since the world can be neither copied nor sent.
  ///
  /// MPI is stopped when `body` returns *and when it throws*. That waits for the other ranks, so
  /// `body` throws only what every rank throws, such as an `AgreedFailure`. A rank that cannot reach
  /// such an agreement calls `MPICollective.abort(code:)`.
  ///
  /// While ranks wait for each other they watch: a run in which nobody works any more is ended with
  /// `stalledCode` and a text that names the ranks that are late.
  /// - Complexity: 0.3 to 0.6 s for start and stop on one quiet machine.
  public static func run<Result: ~Copyable, Failure: Error>(
    _ watching: Watching = Watching(),
    _ body: (borrowing MPICollective) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    start()
    defer { check(unsafe cmpi_finalize()) }
    let world = MPICollective.world(watching)
    world.watch.introduce(over: world)
    defer { world.watch.settle(over: world) }
    return try body(world)
  }

  private static func start() {
    var alreadyStarted: Int32 = 0
    check(unsafe cmpi_is_initialized(&alreadyStarted))
    guard alreadyStarted == 0 else {
      fatalError("MPISession.run: MPI has been started before, and starts once per process")
    }
    var threadLevel: Int32 = 0
    check(unsafe cmpi_initialize(&threadLevel))
    guard threadLevel >= cmpi_thread_funneled else {
      endRun("this MPI library cannot be used beside threads (MPI_THREAD_FUNNELED); use another")
    }
  }
}
