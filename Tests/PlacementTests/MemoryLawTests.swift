import TestSupport
import Testing

@testable import Placement

@Suite("Slots and memory")
struct MemoryLawTests {
  /// Whether some assignment of slots to devices exists, by trying all.
  private func fits(_ problem: PlacementProblem) -> Bool {
    let slots = problem.units.flatMap { Array(repeating: $0.bytesPerSlot, count: $0.slots) }
      .sorted(by: >)
    var free = DeviceList(problem.nodes).memory
    guard slots.reduce(0, +) <= free.reduce(0, +) else { return false }
    // Devices with equally much left are the same to what follows.
    var seen: Set<[Int]> = []
    func visit(_ position: Int) -> Bool {
      guard position < slots.count else { return true }
      guard seen.insert([position] + free.sorted()).inserted else { return false }
      for device in free.indices where free[device] >= slots[position] {
        free[device] -= slots[position]
        if visit(position + 1) { return true }
        free[device] += slots[position]
      }
      return false
    }
    return visit(0)
  }

  @Test("Small problems are placed exactly when enumeration finds a placement")
  func bruteForce() throws {
    var placed = 0
    var refused = 0
    try forEachCase(seed: 311, cases: 1500) { generator, _ in
      let problem = try RandomProblems.draw(&generator, nodes: 3, devices: 2, slots: 3)
      let outcome = Result { () throws(PlacementError) in try problem.placed() }
      switch outcome {
      case .success(let placement):
        placed += 1
        try RandomProblems.check(placement, of: problem)
        try require(fits(problem), "placed what cannot fit")
      case .failure(let error):
        refused += 1
        guard case .infeasible(let text) = error else { throw error }
        try require(!fits(problem), "refused what fits: \(problem): \(text)")
        try require(!text.contains("no placement was found"), "undecided: \(text)")
      }
    }
    #expect(placed > 400 && refused > 400, "\(placed) placed, \(refused) refused")
  }

  @Test("Where each size divides the next, the bound alone decides, in larger problems too")
  func divisibleSizes() throws {
    try forEachCase(seed: 312, cases: 600) { generator, _ in
      let sizes = [2, 6, 12, 48].prefix(generator.integer(in: 1...4))
      let units = (0..<generator.integer(in: 1...20)).map {
        PlacementUnit(
          name: "u\($0)", slots: generator.integer(in: 0...20),
          bytesPerSlot: sizes[generator.integer(in: 0...sizes.count - 1)])
      }
      let bytes = units.reduce(0) { $0 + $1.slots * $1.bytesPerSlot }
      let count = generator.integer(in: 1...8)
      let problem = try PlacementProblem(
        nodes: (0..<count).map {
          PlacementNode(
            name: "n\($0)",
            memory: max(1, bytes / count) + generator.integer(in: 0...60),
            devices: generator.integer(in: 1...2))
        }, units: units)
      let bound = MemoryBound.broken(
        SizeClass.of(units), memory: DeviceList(problem.nodes).memory)
      let counts = SlotCounts(problem, SizeClass.of(units), DeviceList(problem.nodes))
      try require((bound == nil) == (counts != nil), "bound \(String(describing: bound))")
      if counts != nil { try RandomProblems.check(try problem.placed(), of: problem) }
    }
  }

  @Test("The search alone decides small packings as enumeration does")
  func packings() throws {
    try forEachCase(seed: 313, cases: 800) { generator, _ in
      let problem = try RandomProblems.draw(&generator, nodes: 3, devices: 2, slots: 3)
      let classes = SizeClass.of(problem.units)
      let memory = DeviceList(problem.nodes).memory
      switch PackingSearch.run(classes, memory: memory) {
      case .found(let packing):
        try checkPacking(packing, classes, memory)
        let even = PackingEvening(packing, classes, memory: memory)
        try checkPacking(even.packing, classes, memory)
        try require(even.effort > 0, "it should have come to rest")
      case .impossible: try require(!fits(problem), "it fits")
      case .undecided: try require(false, "gave up on a small problem")
      }
    }
  }

  private func checkPacking(_ packing: [[Int]], _ classes: [SizeClass], _ memory: [Int]) throws {
    for (counts, size) in zip(packing, classes) {
      try require(counts.reduce(0, +) == size.slots, "\(counts) for \(size)")
      try require(counts.allSatisfy { $0 >= 0 }, "\(counts)")
    }
    for device in memory.indices {
      let used = zip(packing, classes).reduce(0) { $0 + $1.0[device] * $1.1.bytes }
      try require(used <= memory[device], "\(used) of \(memory[device])")
    }
  }

  @Test("Memory goes before the even spread: 3 + 3 and 2 + 2 + 2 fill two devices of 6")
  func memoryWins() throws {
    let problem = try PlacementProblem(
      nodes: [PlacementNode(name: "a", memory: 6), PlacementNode(name: "b", memory: 6)],
      units: [
        PlacementUnit(name: "threes", slots: 2, bytesPerSlot: 3),
        PlacementUnit(name: "twos", slots: 3, bytesPerSlot: 2),
      ])
    let placement = try problem.placed()
    try RandomProblems.check(placement, of: problem)
    #expect(placement.usedBytes == [[6], [6]])
    #expect(placement.unevenUnits == [0, 1])
  }

  @Test("A packing is evened out where memory allows")
  func evened() {
    let classes = [
      SizeClass(bytes: 5, units: [0], slots: 4), SizeClass(bytes: 3, units: [1], slots: 4),
    ]
    let even = PackingEvening([[4, 0], [0, 4]], classes, memory: [20, 20])
    #expect(even.packing == [[2, 2], [2, 2]])
  }

  @Test("A search that gives up says that there may be a placement")
  func undecided() {
    // Many sizes without a pattern, hardly any room to spare.
    let sizes = [97, 89, 83, 79, 73, 71, 67, 61]
    let classes = sizes.enumerated().map {
      SizeClass(bytes: $1, units: [$0], slots: 6)
    }
    let memory = Array(repeating: sizes.reduce(0, +), count: 6)
    #expect(PackingSearch.run(classes, memory: memory, effort: 10) == .undecided)
    // As many devices as it takes on do not exhaust the stack; more are left alone.
    let many = Array(repeating: 97, count: PackingSearch.largestDeviceCount)
    let onePerDevice = classes.map {
      SizeClass(bytes: $0.bytes, units: $0.units, slots: many.count / sizes.count)
    }
    guard case .found = PackingSearch.run(onePerDevice, memory: many) else {
      Issue.record("every slot fits a device of its own")
      return
    }
    #expect(PackingSearch.run(onePerDevice, memory: many + [97]) == .undecided)
    guard case .found = PackingSearch.run(classes, memory: memory) else {
      Issue.record("one device for each of the six sets of sizes is a placement")
      return
    }
  }

  @Test("What cannot fit is refused with the bytes that are missing and what to try")
  func refusals() throws {
    func refusal(
      _ nodes: [PlacementNode], _ units: [PlacementUnit]
    ) throws -> String {
      let problem = try PlacementProblem(nodes: nodes, units: units)
      do throws(PlacementError) { _ = try problem.placed() } catch { return "\(error)" }
      return "placed"
    }
    let total = try refusal(
      [PlacementNode(name: "a", memory: 10), PlacementNode(name: "b", memory: 20)],
      [PlacementUnit(name: "u", slots: 33, bytesPerSlot: 1)])
    #expect(
      total.contains("30 bytes: 3 bytes short") && total.contains("\"30 bytes\""), "\(total)")
    let large = try refusal(
      [PlacementNode(name: "a", memory: 100, devices: 8)],
      [PlacementUnit(name: "u", slots: 1, bytesPerSlot: 20)])
    #expect(large.contains("8 bytes short") && large.contains("node \"a\""), "\(large)")
    let rests = try refusal(
      [PlacementNode(name: "a", memory: 19), PlacementNode(name: "b", memory: 15)],
      [PlacementUnit(name: "u", slots: 3, bytesPerSlot: 10)])
    #expect(
      rests.contains("1 slot of that size, 10 bytes") && rests.contains("(9 bytes) on node \"a\"")
        && rests.contains("\"20 bytes\""), "\(rests)")
    let sizes = try refusal(
      [PlacementNode(name: "a", memory: 7), PlacementNode(name: "b", memory: 7)],
      [
        PlacementUnit(name: "u", slots: 2, bytesPerSlot: 5),
        PlacementUnit(name: "v", slots: 1, bytesPerSlot: 4),
      ])
    #expect(sizes.contains("0 bytes free") || sizes.contains("do not fit"), "\(sizes)")
  }

  @Test("What is no problem is named")
  func invalid() {
    let node = PlacementNode(name: "a", memory: 10)
    let cases: [([PlacementNode], [PlacementUnit], String)] = [
      ([], [], "no node"),
      ([PlacementNode(name: "a", memory: 0)], [], "node \"a\""),
      ([node], [PlacementUnit(name: "u", slots: -1, bytesPerSlot: 1)], "-1 slots"),
      ([node], [PlacementUnit(name: "u", slots: 1, bytesPerSlot: 0)], "0 bytes"),
      (
        [node],
        [
          PlacementUnit(name: "u", slots: 9_999_999, bytesPerSlot: 1),
          PlacementUnit(name: "v", slots: 2, bytesPerSlot: 1),
        ], "unit \"v\" brings the slots to 10000001"
      ),
      ([node], [PlacementUnit(name: "u", slots: 1, bytesPerSlot: 1, loads: [1, 2])], "--min 2"),
      ([node], [PlacementUnit(name: "u", slots: 1, bytesPerSlot: 1, loads: [.nan])], "expert 0"),
      ([node], [PlacementUnit(name: "u", slots: 1, bytesPerSlot: 1, loads: [-1])], "-1.0"),
    ]
    for (nodes, units, hint) in cases {
      #expect {
        _ = try PlacementProblem(nodes: nodes, units: units)
      } throws: { error in
        "\(error)".contains(hint)
      }
    }
  }
}
