/// N:M pruning of one matrix: `removed` of every `group` consecutive inputs of a row become 0.
///
/// N counts zeros, as Wanda, SparseGPT and OWL count: 0:4 is dense. (Where N counts what is kept, as in
/// hardware manuals, 2:4 and 4:8 are the same.) Inputs beyond the last whole group stay.
public struct RemovalPattern: Sendable, Equatable, Hashable, CustomStringConvertible {
  public let removed: Int
  public let group: Int

  /// Nil unless 0 ≤ N ≤ M and 1 ≤ M ≤ 64.
  public init?(removed: Int, group: Int) {
    guard (1...64).contains(group), (0...group).contains(removed) else { return nil }
    self.removed = removed
    self.group = group
  }

  /// `2:4`.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let removed = parts[0], let group = parts[1] else { return nil }
    self.init(removed: removed, group: group)
  }

  public var description: String { "\(removed):\(group)" }

  /// Weights that it removes from a matrix [outputs, inputs].
  public func count(outputs: Int, inputs: Int) -> Int { outputs * (inputs / group) * removed }
}
