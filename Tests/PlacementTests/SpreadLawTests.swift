import TestSupport
import Testing

@testable import Placement

@Suite("Spreading slots over nodes and devices")
struct SpreadLawTests {
  @Test("Equal nodes and sizes: layers and totals differ by one slot at most, on nodes and devices")
  func equalNodes() throws {
    try forEachCase(seed: 301, cases: 400) { generator, _ in
      let (nodes, devices) = (generator.integer(in: 1...6), generator.integer(in: 1...4))
      let units = (0..<generator.integer(in: 1...12)).map {
        PlacementUnit(name: "u\($0)", slots: generator.integer(in: 0...17), bytesPerSlot: 5)
      }
      let total = units.reduce(0) { $0 + $1.slots }
      // Room for exactly what must fit, sometimes for more; a remainder that holds nothing.
      let perDevice =
        (total + nodes * devices - 1) / (nodes * devices) + generator.integer(in: 0...1)
      let problem = try PlacementProblem(
        nodes: (0..<nodes).map {
          PlacementNode(
            name: "n\($0)", memory: devices * max(1, perDevice * 5 + generator.integer(in: 0...4)),
            devices: devices)
        }, units: units)
      guard problem.nodes.allSatisfy({ $0.deviceMemory / 5 == problem.nodes[0].deviceMemory / 5 })
      else { return }
      let placement = try problem.placed()
      try RandomProblems.check(placement, of: problem)
      try require(placement.unevenUnits.isEmpty, "uneven: \(placement.unevenUnits)")
      var totals = Array(repeating: 0, count: nodes)
      for unit in units.indices {
        let counts = RandomProblems.nodeCounts(placement, unit, nodes: nodes)
        try require(RandomProblems.spread(counts) <= 1, "unit \(unit): \(counts)")
        for node in totals.indices { totals[node] += counts[node] }
        for counts in RandomProblems.deviceCounts(placement, unit, of: problem) {
          try require(RandomProblems.spread(counts) <= 1, "devices of unit \(unit): \(counts)")
        }
      }
      try require(RandomProblems.spread(totals) <= 1, "totals \(totals)")
      for used in placement.usedBytes {
        try require(RandomProblems.spread(used) <= 5, "devices hold \(used)")
      }
    }
  }

  @Test("Unequal nodes, equal sizes: every node gets its share of every layer, up to one slot")
  func unequalNodes() throws {
    try forEachCase(seed: 302, cases: 500) { generator, _ in
      let nodes = (0..<generator.integer(in: 1...6)).map {
        PlacementNode(
          name: "n\($0)", memory: generator.integer(in: 1...60),
          devices: generator.integer(in: 1...3))
      }
      let capacity = nodes.map { $0.devices * ($0.deviceMemory / 3) }
      let holds = capacity.reduce(0, +)
      // As many units as fill the nodes, to the last slot in half of the cases.
      var left = generator.integer(in: 0...1) == 0 ? holds : generator.integer(in: 0...holds)
      var units: [PlacementUnit] = []
      while left > 0 {
        let slots = min(left, generator.integer(in: 1...9))
        units.append(PlacementUnit(name: "u\(units.count)", slots: slots, bytesPerSlot: 3))
        left -= slots
      }
      let problem = try PlacementProblem(nodes: nodes, units: units)
      let placement = try problem.placed()
      try RandomProblems.check(placement, of: problem)
      for unit in units.indices {
        let counts = RandomProblems.nodeCounts(placement, unit, nodes: nodes.count)
        for node in nodes.indices {
          let claim = Double(units[unit].slots * capacity[node]) / Double(holds)
          try require(
            Double(counts[node]) > claim - 1 && Double(counts[node]) < claim + 1,
            "unit \(unit), node \(node): \(counts[node]) of \(claim)")
        }
      }
      try require(placement.unevenUnits.isEmpty, "\(placement.unevenUnits)")
    }
  }

  @Test("Chains find a spread within floors and ceilings whenever enumeration does")
  func chains() throws {
    try forEachCase(seed: 303, cases: 400) { generator, _ in
      let columns = generator.integer(in: 1...3)
      let rows = (0..<generator.integer(in: 1...3)).map { _ in generator.integer(in: 0...5) }
      let shares = (0..<columns).map { _ in generator.integer(in: 0...4) }
      guard shares.contains(where: { $0 > 0 }) else { return }
      let rooms = (0..<columns).map { _ in generator.integer(in: 0...7) }
      guard rows.reduce(0, +) <= rooms.reduce(0, +) else { return }
      var owed = (0..<columns).map { _ in generator.uniform(in: -1...1) }
      let spread = SlotSpread(rows: rows, shares: shares, rooms: rooms, owed: &owed)
      let total = shares.reduce(0, +)
      func isWithin(_ counts: [[Int]]) -> Bool {
        rows.indices.allSatisfy { row in
          shares.indices.allSatisfy { column in
            let claim = rows[row] * shares[column]
            return counts[row][column] * total > claim - total
              && counts[row][column] * total < claim + total
          }
        }
      }
      for row in rows.indices {
        try require(spread.counts[row].reduce(0, +) == rows[row], "row \(row) is not whole")
      }
      for column in rooms.indices {
        let sum = spread.counts.reduce(0) { $0 + $1[column] }
        try require(sum <= rooms[column], "column \(column) holds \(sum) of \(rooms[column])")
      }
      try require(
        isWithin(spread.counts) == exists(rows, rooms, where: isWithin),
        "\(rows) over \(shares) into \(rooms): \(spread.counts)")
    }
  }

  /// Whether some counts with these row sums and at most these column sums pass.
  private func exists(
    _ rows: [Int], _ rooms: [Int], where passes: ([[Int]]) -> Bool
  ) -> Bool {
    var counts = rows.map { _ in Array(repeating: 0, count: rooms.count) }
    func visit(_ row: Int, _ column: Int, _ left: Int) -> Bool {
      if row == rows.count {
        return rooms.indices.allSatisfy { c in counts.reduce(0) { $0 + $1[c] } <= rooms[c] }
          && passes(counts)
      }
      if column == rooms.count - 1 {
        counts[row][column] = left
        return visit(row + 1, 0, row + 1 < rows.count ? rows[row + 1] : 0)
      }
      for count in 0...left {
        counts[row][column] = count
        if visit(row, column + 1, left - count) { return true }
      }
      return false
    }
    return visit(0, 0, rows[0])
  }

  @Test("Leftover slots go round: 3 layers of 4 slots on 3 nodes put the fourth on each in turn")
  func rotation() throws {
    let problem = try PlacementProblem(
      nodes: (0..<3).map { PlacementNode(name: "n\($0)", memory: 100) },
      units: (0..<3).map { PlacementUnit(name: "u\($0)", slots: 4, bytesPerSlot: 10) })
    let placement = try problem.placed()
    #expect(placement.slots[0].map(\.node) == [0, 0, 1, 2])
    #expect(placement.slots[1].map(\.node) == [0, 1, 1, 2])
    #expect(placement.slots[2].map(\.node) == [0, 1, 2, 2])
    #expect(placement.usedBytes == [[40], [40], [40]])
  }

  @Test("A node with twice the memory takes two thirds")
  func shares() throws {
    let problem = try PlacementProblem(
      nodes: [
        PlacementNode(name: "small", memory: 800, devices: 2),
        PlacementNode(name: "large", memory: 1600, devices: 4),
      ],
      units: [PlacementUnit(name: "u", slots: 12, bytesPerSlot: 100)])
    let placement = try problem.placed()
    #expect(RandomProblems.deviceCounts(placement, 0, of: problem) == [[2, 2], [2, 2, 2, 2]])
  }
}
