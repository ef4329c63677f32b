/// Rows of slots over columns of places, as near to the columns' shares as whole numbers are.
///
/// Row r brings n_r slots; column c holds room(c) at most and has the share w_c/W of every row. The
/// answer x satisfies Σ_c x_rc = n_r and Σ_r x_rc ≤ room(c), and wherever that is possible
///
///     ⌊n_r w_c/W⌋ ≤ x_rc ≤ ⌈n_r w_c/W⌉ .
///
/// Slots that shares do not divide go to the column that is owed most from all rows so far, so they
/// rotate, and the columns' totals stay even as well. If the column with a claim is full, slots of
/// other rows that lie above their floor make room along a chain, which is how augmenting paths of a
/// flow look here: if any x within floors and ceilings fits the rooms, one is found. (For a floor to
/// fail, a column must lack room for the floors alone.) Only then a row goes beyond its ceiling.
struct SlotSpread {
  private(set) var counts: [[Int]]
  private let rows: [Int]
  private let shares: [Int128]
  private let total: Int128
  private var rooms: [Int]
  /// What each column is owed of the rows so far, in slots times W.
  private var owed: [Int128]

  /// - Parameters:
  ///   - owed: what the columns are owed from before, in slots; afterwards with these rows.
  /// - Precondition: Σ rows ≤ Σ rooms, and some share is not 0.
  /// - Complexity: O(rows · columns) and, for each slot that needs a chain, O(rows · columns²).
  init(rows: [Int], shares: [Int], rooms: [Int], owed carried: inout [Double]) {
    self.rows = rows
    self.shares = shares.map { Int128($0) }
    self.rooms = rooms
    let total = shares.reduce(Int128(0)) { $0 + Int128($1) }
    precondition(total > 0, "somebody must have a share")
    precondition(
      rows.reduce(0, +) <= rooms.reduce(0) { $0 + min($1, Int.max / max(rooms.count, 1)) },
      "the slots must fit")
    self.total = total
    owed = carried.map { Int128(($0 * Double(total)).rounded()) }
    counts = rows.map { _ in Array(repeating: 0, count: shares.count) }

    // 1. What nobody disputes: the whole part of every share.
    for row in rows.indices {
      for column in shares.indices {
        let certain = min(floor(row, column), self.rooms[column])
        counts[row][column] = certain
        self.rooms[column] -= certain
      }
    }
    // 2. The rest, slot by slot.
    for row in rows.indices {
      var placed = 0
      for column in shares.indices {
        owed[column] += claim(row, column) - Int128(counts[row][column]) * total
        placed += counts[row][column]
      }
      for _ in placed..<max(placed, rows[row]) { placeOne(row) }
    }
    carried = owed.map { Double($0) / Double(total) }
  }

  /// n_r w_c, of which W go into a slot.
  private func claim(_ row: Int, _ column: Int) -> Int128 { Int128(rows[row]) * shares[column] }

  private func floor(_ row: Int, _ column: Int) -> Int { Int(claim(row, column) / total) }

  private func hasClaim(_ row: Int, _ column: Int) -> Bool {
    Int128(counts[row][column]) * total < claim(row, column)
  }

  private mutating func placeOne(_ row: Int) {
    let withClaim = shares.indices.filter { rooms[$0] > 0 && hasClaim(row, $0) }
    if let column = Self.first(of: withClaim, largest: owed) {
      put(row, column)
    } else if !placeByChain(row) {
      // Nobody may take it within its share: whoever is least above its share of this row.
      let missing = shares.indices.map { claim(row, $0) - Int128(counts[row][$0]) * total }
      let withRoom = shares.indices.filter { rooms[$0] > 0 }
      guard let column = Self.first(of: withRoom, largest: missing) else {
        preconditionFailure("the rooms hold all slots")
      }
      put(row, column)
    }
  }

  private static func first(of columns: [Int], largest values: [Int128]) -> Int? {
    columns.max { values[$0] < values[$1] || values[$0] == values[$1] && $0 > $1 }
  }

  private mutating func put(_ row: Int, _ column: Int) {
    counts[row][column] += 1
    rooms[column] -= 1
    owed[column] -= total
  }

  /// Breadth first over full columns, from those with a claim on the row to one with room.
  private mutating func placeByChain(_ row: Int) -> Bool {
    var queue = shares.indices.filter { hasClaim(row, $0) }
    var reached = shares.indices.map { hasClaim(row, $0) }
    var arrival = [Step?](repeating: nil, count: shares.count)
    var next = 0
    while next < queue.count {
      let column = queue[next]
      next += 1
      for other in rows.indices where counts[other][column] > floor(other, column) {
        for target in shares.indices where !reached[target] && hasClaim(other, target) {
          arrival[target] = Step(from: column, row: other)
          if rooms[target] > 0 {
            put(row, shift(to: target, along: arrival))
            return true
          }
          reached[target] = true
          queue.append(target)
        }
      }
    }
    return false
  }

  /// A slot of a row that could move on, and the column it would leave.
  private struct Step {
    let from: Int
    let row: Int
  }

  /// Moves one slot along each step of the chain; returns the column where it begins, which then has
  /// room.
  private mutating func shift(to end: Int, along arrival: [Step?]) -> Int {
    var column = end
    while let step = arrival[column] {
      put(step.row, column)
      counts[step.row][step.from] -= 1
      rooms[step.from] += 1
      owed[step.from] += total
      column = step.from
    }
    return column
  }
}
