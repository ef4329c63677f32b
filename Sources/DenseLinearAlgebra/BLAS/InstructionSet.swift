internal import COpenBLAS
internal import CVectorLoops

/// The vector instructions that this program was compiled for, which is up to who builds it: plain x86-64
/// has those of 2003 (`launch/install --cpu`). BLAS chooses its own when it starts.
public enum InstructionSet {
  /// Instructions that the program may use and this processor does not have; nil if it has them all.
  public static var missing: String? {
    guard let name = unsafe layerbudget_missing_instructions() else { return nil }
    return unsafe String(cString: name)
  }

  /// Whether loops that need a product and a sum in one rounding are fast here: AVX2 with FMA.
  static var hasFusedProducts: Bool { cvec_processor_has_fma() }

  static var hasAVX512: Bool { cvec_processor_has_avx512() }
}
