/// The two element types that BLAS computes in: `Float` and `Double`.
///
/// No other type can conform: only this room can make ``BLASKernels``. (`Codable`, because the compiler
/// asks every protocol that refines `SIMDScalar` to say so.)
public protocol LinearAlgebraElement: BinaryFloatingPoint, SIMDScalar, Codable, BitwiseCopyable,
  Sendable
{
  /// The routines of this precision; called in this room only.
  static var _kernels: BLASKernels<Self> { get }
  /// The loops of this precision; called in this room only.
  static var _loops: VectorLoops<Self> { get }
}

extension Float: LinearAlgebraElement {
  public static var _kernels: BLASKernels<Float> { .single }
  public static var _loops: VectorLoops<Float> { .single }
}

extension Double: LinearAlgebraElement {
  public static var _kernels: BLASKernels<Double> { .double }
  public static var _loops: VectorLoops<Double> { .double }
}
