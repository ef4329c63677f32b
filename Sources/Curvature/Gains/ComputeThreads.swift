internal import DenseLinearAlgebra

/// The threads that BLAS uses in this process. Set once, on purpose, before any gain is computed:
/// the last bits of a gain depend on their number and on the BLAS core type.
public enum ComputeThreads {
  public static func set(_ count: Int) { BLASThreads.set(count) }
  /// As BLAS has it: a library may have been built for fewer.
  public static var current: Int { BLASThreads.current }
  /// Kernel family that OpenBLAS chose for this processor.
  public static var coreName: String { BLASThreads.coreName }
  /// Version, options and threading model of the library, on one line.
  public static var configuration: String { BLASThreads.configuration }
}
