import TestSupport
import Testing

@testable import Placement

@Suite("Experts with loads")
struct LoadLawTests {
  private func randomLoads(_ generator: inout SeededGenerator, _ experts: Int) -> [Double] {
    let scale = generator.uniform(in: 0...2)
    return (0..<experts).map { _ in
      generator.integer(in: 0...9) == 0 ? 0 : generator.logNormal(scale: scale)
    }
  }

  /// Counts that can be laid out: no expert more often on a device than there must be.
  private func canBeLaidOut(_ counts: [Int], _ sizes: [Int]) -> Bool {
    var left = counts
    func visit(_ device: Int, _ expert: Int, _ room: Int) -> Bool {
      if device == sizes.count { return left.allSatisfy { $0 == 0 } }
      if expert == counts.count {
        return room == 0
          && visit(device + 1, 0, device + 1 < sizes.count ? sizes[device + 1] : 0)
      }
      let limit = max(1, (sizes[device] + counts.count - 1) / counts.count)
      for taken in 0...min(limit, left[expert], room) {
        left[expert] -= taken
        if visit(device, expert + 1, room - taken) { return true }
        left[expert] += taken
      }
      return false
    }
    return visit(0, 0, sizes[0])
  }

  @Test("Counts have the smallest possible largest load per slot among those that can be laid out")
  func bestCounts() throws {
    try forEachCase(seed: 321, cases: 400) { generator, _ in
      let experts = generator.integer(in: 1...4)
      let sizes = (0..<generator.integer(in: 1...4)).map { _ in generator.integer(in: 0...3) }
      let slots = sizes.reduce(0, +)
      guard slots >= experts else { return }
      let loads = randomLoads(&generator, experts)
      let counts = ReplicaCounts.of(loads, slotsOfDevice: sizes)
      try require(counts.reduce(0, +) == slots, "\(counts) for \(slots) slots")
      try require(counts.allSatisfy { $0 >= 1 }, "\(counts)")
      try require(canBeLaidOut(counts, sizes), "\(counts) on \(sizes) cannot be laid out")
      func largest(_ counts: [Int]) -> Double {
        zip(loads, counts).map { $0 / Double($1) }.max() ?? 0
      }
      var best = Double.infinity
      var trial = Array(repeating: 1, count: experts)
      func visit(_ expert: Int, _ left: Int) {
        if expert == experts - 1 {
          trial[expert] = 1 + left
          if largest(trial) < best, canBeLaidOut(trial, sizes) { best = largest(trial) }
          return
        }
        for more in 0...left {
          trial[expert] = 1 + more
          visit(expert + 1, left - more)
        }
      }
      visit(0, slots - experts)
      try require(largest(counts) <= best, "\(counts) of \(loads) on \(sizes): best \(best)")
    }
  }

  /// A problem with loads on equal or unequal nodes with room enough.
  private func problem(_ generator: inout SeededGenerator) throws -> PlacementProblem {
    let nodes = (0..<generator.integer(in: 1...4)).map {
      PlacementNode(
        name: "n\($0)", memory: generator.integer(in: 1...3) * 10_000,
        devices: generator.integer(in: 1...4))
    }
    let units = (0..<generator.integer(in: 1...4)).map { index in
      let loads = randomLoads(&generator, generator.integer(in: 1...12))
      return PlacementUnit(
        name: "u\(index)", slots: loads.count + generator.integer(in: 0...20),
        bytesPerSlot: generator.integer(in: 1...40), loads: index == 3 ? nil : loads)
    }
    return try PlacementProblem(nodes: nodes, units: units)
  }

  @Test("Every expert has a slot, none two on a device that could do without; reports are true")
  func laws() throws {
    try forEachCase(seed: 322, cases: 400) { generator, _ in
      let problem = try problem(&generator)
      let placement = try problem.placed()
      try RandomProblems.check(placement, of: problem)
      var total = problem.nodes.map { Array(repeating: 0.0, count: $0.devices) }
      var (mean, largest) = (0.0, 0.0)
      let deviceCount = Double(problem.nodes.reduce(0) { $0 + $1.devices })
      for (index, unit) in problem.units.enumerated() {
        guard let loads = unit.loads else {
          try require(placement.slots[index].allSatisfy { $0.expert == nil }, "an expert")
          try require(placement.balancedness[index] == nil, "balancedness without loads")
          continue
        }
        let slots = placement.slots[index]
        let experts = slots.compactMap(\.expert)
        try require(experts.count == slots.count, "a slot without an expert")
        let copies = loads.indices.map { expert in experts.count { $0 == expert } }
        try require(copies.allSatisfy { $0 > 0 }, "an expert without a slot: \(copies)")
        var own = problem.nodes.map { Array(repeating: 0.0, count: $0.devices) }
        var doubled = false
        for (node, devices) in RandomProblems.deviceCounts(placement, index, of: problem)
          .enumerated()
        {
          for (device, count) in devices.enumerated() {
            let held = slots.filter { $0.node == node && $0.device == device }
              .compactMap(\.expert)
            for expert in loads.indices {
              let here = held.count { $0 == expert }
              doubled = doubled || here > 1
              try require(
                here <= max(1, (count + loads.count - 1) / loads.count),
                "unit \(index): expert \(expert) is \(here) times among \(count)")
            }
            own[node][device] = held.reduce(0) { $0 + loads[$1] / Double(copies[$1]) }
            total[node][device] += own[node][device]
          }
        }
        try require(doubled == placement.doubledUnits.contains(index), "doubled units")
        let heaviest = own.flatMap(\.self).max() ?? 0
        let average = loads.reduce(0, +) / deviceCount
        (mean, largest) = (mean + average, largest + heaviest)
        let expected = heaviest > 0 ? average / heaviest : 1
        try require(
          relativeError(placement.balancedness[index] ?? 0, expected) < 1e-12,
          "balancedness \(String(describing: placement.balancedness[index])), not \(expected)")
      }
      let expected = largest > 0 ? mean / largest : 1
      try require(
        relativeError(placement.totalBalancedness ?? -1, expected) < 1e-12, "over all layers")
      for (reported, own) in zip(placement.loads ?? [], total) {
        for (a, b) in zip(reported, own) { try require(abs(a - b) <= 1e-9 * (b + 1), "\(a), \(b)") }
      }
    }
  }

  @Test("Loads change neither memory nor the spread of slots")
  func sameSpread() throws {
    try forEachCase(seed: 323, cases: 200) { generator, _ in
      let problem = try problem(&generator)
      let plain = try PlacementProblem(
        nodes: problem.nodes,
        units: problem.units.map {
          PlacementUnit(name: $0.name, slots: $0.slots, bytesPerSlot: $0.bytesPerSlot)
        })
      let (with, without) = (try problem.placed(), try plain.placed())
      try require(with.usedBytes == without.usedBytes, "memory")
      for unit in problem.units.indices {
        try require(
          RandomProblems.deviceCounts(with, unit, of: problem)
            == RandomProblems.deviceCounts(without, unit, of: problem), "spread")
      }
    }
  }

  @Test("A layer's heaviest device is near the best that enumeration finds")
  func nearBest() throws {
    var worst = 1.0
    var sum = 0.0
    var cases = 0.0
    try forEachCase(seed: 324, cases: 250) { generator, _ in
      let experts = generator.integer(in: 3...8)
      let devices = generator.integer(in: 2...4)
      let loads = (0..<experts).map { _ in generator.logNormal(scale: 1) }
      let slots = generator.integer(in: experts...min(9, experts * devices))
      let sizes = (0..<devices).map { slots / devices + ($0 < slots % devices ? 1 : 0) }
      let counts = ReplicaCounts.of(loads, slotsOfDevice: sizes)
      var bundles = ReplicaBundles(loads: loads, counts: counts, sizes: sizes)
      bundles.improve()
      try require(bundles.sizes.sorted() == sizes.sorted(), "sizes changed")
      try require(
        zip(bundles.experts, bundles.sizes).allSatisfy { $0.count == $1 }, "not full")
      // All ways to lay out the same counts, sizes in any order.
      let weights = zip(loads, counts).map { $0 / Double($1) }
      let slotExperts = counts.indices.flatMap { Array(repeating: $0, count: counts[$0]) }
      var best = Double.infinity
      var held = Array(repeating: [Int](), count: devices)
      func visit(_ position: Int) {
        guard position < slotExperts.count else {
          guard held.map(\.count).sorted() == sizes.sorted() else { return }
          best = min(best, held.map { $0.reduce(0) { $0 + weights[$1] } }.max() ?? 0)
          return
        }
        for device in 0..<devices
        where held[device].count < sizes[0] && !held[device].contains(slotExperts[position]) {
          held[device].append(slotExperts[position])
          visit(position + 1)
          held[device].removeLast()
        }
      }
      visit(0)
      let ratio = (bundles.loads.max() ?? 0) / best
      try require(ratio > 1 - 1e-12, "better than the best")
      worst = max(worst, ratio)
      sum += ratio
      cases += 1
    }
    print("heaviest device over the best: mean \(sum / cases), worst \(worst)")
    #expect(sum / cases < 1.02 && worst < 1.3, "mean \(sum / cases), worst \(worst)")
  }

  @Test("Equal layers even out over the devices: what is heavy in one layer is light in the next")
  func rotation() throws {
    let loads = [8.0, 4, 2, 1]
    let problem = try PlacementProblem(
      nodes: (0..<4).map { PlacementNode(name: "n\($0)", memory: 100) },
      units: (0..<8).map {
        PlacementUnit(name: "u\($0)", slots: 4, bytesPerSlot: 1, loads: loads)
      })
    let placement = try problem.placed()
    #expect(placement.balancedness == Array(repeating: 15.0 / 4 / 8, count: 8))
    let totals = (placement.loads ?? []).flatMap(\.self)
    // One device keeps 8 when the others have caught up, so they differ by less than that.
    #expect(totals.reduce(0, +) == 120)
    #expect((totals.max() ?? 0) - (totals.min() ?? 0) <= 8, "\(totals)")
  }

  @Test("With more slots than experts times devices, an expert is doubled no more than it must be")
  func doubled() throws {
    let problem = try PlacementProblem(
      nodes: [PlacementNode(name: "a", memory: 100), PlacementNode(name: "b", memory: 100)],
      units: [PlacementUnit(name: "u", slots: 7, bytesPerSlot: 1, loads: [100, 1])])
    let placement = try problem.placed()
    #expect(placement.doubledUnits == [0])
    #expect(placement.slots[0].count { $0.expert == 0 } == 4)
  }
}
