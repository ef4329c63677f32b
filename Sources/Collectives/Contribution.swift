/// What one rank brings to a call of a `ThreadedCollective`.
enum Contribution: Sendable {
  case sum([Int128])
  case maximum([Double])
  case gather([UInt8], root: Int)
  case broadcast([UInt8], root: Int)
  case barrier

  /// What all ranks' contributions come to.
  enum Answer: Sendable {
    case sums([Int128])
    case maxima([Double])
    case gathered([[UInt8]])
    case broadcast([UInt8])
    case nothing
  }

  /// The answer to `contributions`, which are in rank order and not empty.
  ///
  /// Ends the process unless all ranks made the same call.
  static func combine(_ contributions: [Contribution]) -> Answer {
    let call = contributions[0].description
    for (rank, contribution) in contributions.enumerated() where contribution.description != call {
      CollectiveContract.violated(by: rank, "called \(contribution) while rank 0 called \(call)")
    }
    switch contributions[0] {
    case .sum(let first):
      return .sums(sums(of: contributions, startingWith: first))
    case .maximum(var maxima):
      for case .maximum(let values) in contributions.dropFirst() {
        for index in maxima.indices { maxima[index] = max(maxima[index], values[index]) }
      }
      return .maxima(maxima)
    case .gather:
      return .gathered(
        contributions.map { if case .gather(let bytes, _) = $0 { bytes } else { [] } })
    case .broadcast(_, let root):
      if case .broadcast(let bytes, _) = contributions[root] { return .broadcast(bytes) }
      return .nothing
    case .barrier:
      return .nothing
    }
  }

  private static func sums(
    of contributions: [Contribution], startingWith first: [Int128]
  ) -> [Int128] {
    var sums = first.map(ExactSum.init)
    for case .sum(let values) in contributions.dropFirst() {
      for index in sums.indices { sums[index] += values[index] }
    }
    return sums.enumerated().map { CollectiveContract.total($1, element: $0, rank: 0) }
  }
}

extension Contribution: CustomStringConvertible {
  /// The call with all that must be equal on every rank.
  var description: String {
    switch self {
    case .sum(let values): "sum(\(values.count) values)"
    case .maximum(let values): "maximum(\(values.count) values)"
    case .gather(_, let root): "gather(at: \(root))"
    case .broadcast(_, let root): "broadcast(from: \(root))"
    case .barrier: "barrier()"
    }
  }
}
