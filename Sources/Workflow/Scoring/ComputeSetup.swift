internal import Curvature
internal import DenseLinearAlgebra

/// Settings of the process: some decide the last bits of gains, some what memory it holds.
public enum ComputeSetup {
  /// BLAS threads of this rank. Freed matrices go back to the system from here on.
  public static func setThreads(_ count: Int) {
    FreedMemory.goesBackAtOnce()
    ComputeThreads.set(count)
  }
  public static var blasCoreName: String { ComputeThreads.coreName }
}
