internal import CMPIShim
internal import Collectives

/// The time between MPI_Init and MPI_Finalize: the length of one closure.
///
/// No object is left that could finalize too late or never: `exit` and forgotten globals cannot come
/// between, and a communicator cannot outlive its session.
public enum MPISession {
  /// The exit code of a run that MPI itself broke; EX_OSERR of sysexits.h.
  public static let communicationFailureCode: Int32 = 71

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
  /// - Complexity: 0.3 to 0.6 s for start and stop on one quiet machine.
  public static func run<Result: ~Copyable, Failure: Error>(
    _ body: (borrowing MPICollective) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    start()
    defer { check(unsafe cmpi_finalize()) }
    return try body(MPICollective.world())
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
