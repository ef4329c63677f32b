/// How the weights inside one matrix are chosen.
public enum PruningMethod: String, CaseIterable, Sendable {
  /// The smallest |W|, over the whole matrix.
  case magnitude
  /// The smallest |W_ij| √A_jj of every row. Sun, Liu, Bair and Kolter 2023, arXiv 2306.11695.
  case wanda
  /// Optimal brain surgeon column by column, the others updated. Frantar and Alistarh 2023, arXiv
  /// 2301.00774.
  case sparsegpt

  /// Whether it needs the second moments A of the inputs.
  public var needsActivations: Bool { self != .magnitude }
}
