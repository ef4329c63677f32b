/// The vectors that OpenBLAS's kernels are made for, as far as ways of ours depend on it.
enum KernelFamily {
  case avx2, avx512, other

  /// By the name of the kernels. Not by the processor: OpenBLAS knows which wide vectors are worth it, and
  /// every rank of a run has the same name (another one ends it with 78).
  init(coreName: String) {
    switch coreName {
    case "Haswell", "Zen": self = .avx2
    case "SkylakeX", "Cooperlake", "SapphireRapids": self = .avx512
    default: self = .other
    }
  }
}

extension BLASThreads {
  /// Asked once: it does not change while a process lives.
  static let family = KernelFamily(coreName: coreName)
}
