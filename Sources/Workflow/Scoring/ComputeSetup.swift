internal import Curvature

/// Settings of the process that decide the last bits of gains.
public enum ComputeSetup {
  /// BLAS threads of this rank.
  public static func setThreads(_ count: Int) { ComputeThreads.set(count) }
  public static var blasCoreName: String { ComputeThreads.coreName }
}
