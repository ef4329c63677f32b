/// Rank 0 of 1: a run without company.
///
/// Nothing is communicated, yet the answers are the bits that many ranks would get and the same
/// mistakes are refused.
public struct SoloCollective: Collective, Sendable {
  private let observer: (any ProgressObserver)?

  public init(observer: (any ProgressObserver)? = nil) {
    self.observer = observer
  }

  public var rank: Int { 0 }
  public var size: Int { 1 }

  /// Leaves `values` as they are.
  /// - Complexity: O(1), no communication.
  public func sum(_ values: inout [Int128]) {}

  /// Leaves `values` as they are, but for -0.0, which becomes +0.0.
  /// - Complexity: O(count), no communication.
  public func maximum(_ values: inout [Double]) {
    CollectiveContract.canonicalise(&values, rank: rank)
  }

  /// Returns `[bytes]`.
  /// - Complexity: O(1), no communication.
  public func gather(_ bytes: [UInt8], at root: Int) -> [[UInt8]] {
    CollectiveContract.checkRoot(root, rank: rank, size: size, method: "gather")
    return [bytes]
  }

  /// Returns `bytes`.
  /// - Complexity: O(1), no communication.
  public func broadcast(_ bytes: [UInt8], from root: Int) -> [UInt8] {
    CollectiveContract.checkRoot(root, rank: rank, size: size, method: "broadcast")
    return bytes
  }

  /// Returns at once.
  public func barrier() {}

  /// Shown as it is; nobody else could stall.
  public func report(_ progress: Progress) {
    observer?.observe(JobProgress(step: 0, ranks: [JobProgress.Rank(host: "", progress: progress)]))
  }
}
