/// The one failure that all ranks agreed to report, the same value on every rank.
///
/// As an error it is safe to throw out of a collective computation: every rank throws it.
public struct AgreedFailure: Error, Equatable, Sendable {
  /// The lowest rank that failed.
  public let rank: Int
  /// That rank's code, meant as the exit code of every rank.
  public let code: Int32
  /// That rank's own words.
  public let message: String
  /// How many ranks failed, at least 1. The others' words are lost.
  public let failingRanks: Int

  public init(rank: Int, code: Int32, message: String, failingRanks: Int) {
    self.rank = rank
    self.code = code
    self.message = message
    self.failingRanks = failingRanks
  }
}

extension AgreedFailure: CustomStringConvertible {
  /// `rank 3: no such file (and 2 more ranks failed)`
  public var description: String {
    switch failingRanks - 1 {
    case 0: "rank \(rank): \(message)"
    case 1: "rank \(rank): \(message) (and 1 more rank failed)"
    case let others: "rank \(rank): \(message) (and \(others) more ranks failed)"
    }
  }
}

extension Collective where Self: ~Copyable {
  /// Tells every rank whether some rank failed, and agrees on the failure to report.
  ///
  /// A rank that alone finds a file missing must not leave: the others would wait for it for ever.
  /// So each rank finishes a step, good or bad, and all meet here:
  ///
  ///     let failure = world.agree(on: ownFailure?.description, code: 65)
  ///     if let failure { throw failure }  // on every rank, the same
  ///
  /// Collective: ranks without a failure call too, with nil. Whoever arrives first, the lowest
  /// failing rank is reported, so a run fails the same way each time.
  /// - Parameters:
  ///   - failure: this rank's failure in words, or nil if it has none.
  ///   - code: the code to report with `failure`; ignored without one.
  /// - Returns: nil if no rank failed, otherwise the same value on every rank.
  /// - Complexity: one `maximum` of `size` doubles and, only after a failure, one `broadcast`.
  public func agree(on failure: String?, code: Int32) -> AgreedFailure? {
    // 1. Who failed: element r is 1 if rank r did.
    var flags = [Double](repeating: 0, count: size)
    if failure != nil { flags[rank] = 1 }
    maximum(&flags)
    guard let lowest = flags.firstIndex(of: 1) else { return nil }

    // 2. What the lowest of them says: four bytes of code, least significant first, then UTF-8.
    let own = rank == lowest ? Self.encode(code: code, message: failure ?? "") : []
    let agreed = broadcast(own, from: lowest)
    return AgreedFailure(
      rank: lowest,
      code: agreed.prefix(4).reversed().reduce(0) { $0 << 8 | Int32($1) },
      message: String(decoding: agreed.dropFirst(4), as: UTF8.self),
      failingRanks: flags.count { $0 == 1 })
  }

  private static func encode(code: Int32, message: String) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: code >> (8 * $0)) } + Array(message.utf8)
  }
}
