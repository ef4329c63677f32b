/// N:M patterns that a unit may take: `zeros` of every `groupSize` consecutive inputs of a row are
/// removed. N counts the zeros; 0:4 is dense.
public struct SparsityPatterns: Sendable, Equatable, CustomStringConvertible {
  /// M.
  public let groupSize: Int
  /// The allowed N, ascending.
  public let zeros: [Int]

  public static let largestGroup = 64

  /// Reads `2:4`, which allows 0:4, 1:4 and 2:4, or a list `0:4,2:4`, which allows these two.
  public init?(_ text: String) {
    var groupSize: Int?
    var zeros: Set<Int> = []
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    for part in parts {
      let numbers = part.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
      guard numbers.count == 2, let n = numbers[0], let m = numbers[1],
        (1...Self.largestGroup).contains(m), (0...m).contains(n), groupSize ?? m == m
      else { return nil }
      groupSize = m
      zeros.insert(n)
    }
    guard let groupSize, let most = zeros.max() else { return nil }
    self.groupSize = groupSize
    self.zeros = parts.count == 1 ? Array(0...most) : zeros.sorted()
  }

  public var largestZeros: Int { zeros.last ?? 0 }

  /// `j:M`.
  public func text(of zeros: Int) -> String { "\(zeros):\(groupSize)" }

  public var description: String { zeros.map(text).joined(separator: ",") }

  /// Whole groups of a matrix [outputs, inputs]. Inputs beyond the last whole group stay dense.
  public func groups(outputs: Int, inputs: Int) -> Int { inputs / groupSize * outputs }
}

/// Adds up, over the groups of one unit after another, the costs of removing the cheapest weights of
/// every group.
public struct GroupCounter: Sendable {
  private let groupSize: Int
  private var sums: [Double]
  private var group: [Double]

  public init(_ patterns: SparsityPatterns) {
    groupSize = patterns.groupSize
    sums = .init(repeating: 0, count: patterns.largestZeros + 1)
    group = .init(repeating: 0, count: patterns.groupSize)
  }

  /// Adds one row of costs s ≥ 0. - Complexity: O(inputs · M) at worst, by insertion.
  public mutating func add(row costs: Span<Double>) {
    for first in stride(from: 0, through: costs.count - groupSize, by: groupSize) {
      for index in 0..<groupSize {
        let cost = costs[first + index]
        var place = index
        while place > 0, group[place - 1] > cost {
          group[place] = group[place - 1]
          place -= 1
        }
        group[place] = cost
      }
      var cost = 0.0
      for zeros in 1..<max(sums.count, 1) {
        cost += group[zeros - 1]
        sums[zeros] += cost
      }
    }
  }

  /// Σ over the groups of their j smallest costs, for j = 0 ... N. The next unit starts at 0.
  public mutating func finish() -> [Double] {
    defer { sums = .init(repeating: 0, count: sums.count) }
    return sums
  }
}
