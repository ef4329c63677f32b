internal import COpenBLAS

/// The threads and kernels of this process's BLAS.
///
/// Products, solves and factorizations differ in their last bits between thread counts and between
/// kernel families (``coreName``), so both belong to a run's record, and the count is set on purpose,
/// never inherited. It is one number for the whole process: set it before the first computation.
public enum BLASThreads {
  /// The threads that the next routine may use.
  public static var current: Int { Int(openblas_get_num_threads()) }

  /// Sets the thread count; above the library's build limit (64 in Debian) OpenBLAS uses that limit,
  /// so read ``current`` back. A library built on OpenMP follows OMP_NUM_THREADS too: set both.
  ///
  /// - Precondition: `count >= 1`.
  public static func set(_ count: Int) {
    precondition(count >= 1, "BLAS needs at least one thread, not \(count)")
    openblas_set_num_threads(Int32(clamping: count))
  }

  /// The kernel family chosen for this processor, such as `Haswell` or `Zen`; the environment
  /// variable OPENBLAS_CORETYPE overrides the choice at start.
  public static var coreName: String {
    guard let name = unsafe openblas_get_corename() else { return "unknown" }
    return unsafe String(cString: name)
  }

  /// Version, build options and threading model of the library, in one line for a run's record.
  ///
  /// Asked once: OpenBLAS puts the words together in one buffer, which two threads would both write.
  public static let configuration: String = {
    let options =
      if let text = unsafe openblas_get_config() { unsafe String(cString: text) } else { "unknown" }
    let model =
      switch openblas_get_parallel() {
      case OPENBLAS_SEQUENTIAL: "sequential"
      case OPENBLAS_THREAD: "pthreads"
      case OPENBLAS_OPENMP: "OpenMP"
      default: "unknown threading"
      }
    let words = options.split(separator: " ") + [Substring(model)]
    return words.joined(separator: " ")
  }()
}
