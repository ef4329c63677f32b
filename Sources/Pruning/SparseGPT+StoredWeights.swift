public import TensorFiles

extension SparseGPT {
  /// Prunes words: decoded, pruned in this precision, rounded once.
  ///
  /// - Complexity: beside ``prune(_:count:)`` a matrix of the weights' size.
  public func prune<Word: StoredWord>(
    _ weights: inout StoredWeights<Word>, count: Int, pattern: RemovalPattern?
  ) {
    var matrix = weights.matrix(as: Element.self)
    if let pattern {
      prune(&matrix, pattern: pattern)
    } else {
      prune(&matrix, count: count)
    }
    weights.replace(by: matrix)
  }
}
