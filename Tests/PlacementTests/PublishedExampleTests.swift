import Testing

@testable import Placement

/// The example of DeepSeek's EPLB: two layers of 12 experts, 16 replicas, 2 nodes of 4 devices each.
@Suite("EPLB's published example")
struct PublishedExampleTests {
  private let weights: [[Double]] = [
    [90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86],
    [20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27],
  ]
  /// The expert of each replica as published, two replicas per device in turn.
  private let published = [
    [5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1, 11, 1],
    [7, 10, 6, 8, 6, 11, 8, 9, 2, 4, 5, 1, 5, 0, 3, 1],
  ]

  private func placed() throws -> SlotPlacement {
    try PlacementProblem(
      nodes: ["node0", "node1"].map { PlacementNode(name: $0, memory: 4 * 4 * 100, devices: 4) },
      units: weights.enumerated().map {
        PlacementUnit(name: "layer\($0)", slots: 16, bytesPerSlot: 100, loads: $1)
      }
    ).placed()
  }

  /// Loads of the devices when each replica takes an equal part of its expert's load.
  private func deviceLoads(_ experts: [Int], _ loads: [Double]) -> [Double] {
    let parts = loads.indices.map { expert in
      loads[expert] / Double(max(1, experts.count { $0 == expert }))
    }
    return stride(from: 0, to: 16, by: 2).map { parts[experts[$0]] + parts[experts[$0 + 1]] }
  }

  @Test("Every layer is at least as well balanced as the published placement")
  func balance() throws {
    let placement = try placed()
    for layer in weights.indices {
      let golden = deviceLoads(published[layer], weights[layer])
      let mean = golden.reduce(0, +) / 8
      let ours = try #require(placement.balancedness[layer])
      print("layer \(layer): published \(mean / golden.max()!), ours \(ours)")
      #expect(ours >= mean / golden.max()!)
    }
  }

  @Test("The experts that are replicated carry the largest loads, as in the published placement")
  func replicas() throws {
    let placement = try placed()
    for layer in weights.indices {
      func counts(_ experts: [Int]) -> [Int] {
        weights[layer].indices.map { expert in experts.count { $0 == expert } }
      }
      let ours = counts(placement.slots[layer].compactMap(\.expert))
      #expect(ours.reduce(0, +) == 16)
      func largest(_ counts: [Int]) -> Double {
        zip(weights[layer], counts).map { $0 / Double($1) }.max() ?? 0
      }
      #expect(largest(ours) <= largest(counts(published[layer])))
    }
  }

  @Test("Each device has two slots of each layer, and no expert twice")
  func shape() throws {
    let placement = try placed()
    #expect(placement.usedBytes == [[400, 400, 400, 400], [400, 400, 400, 400]])
    #expect(placement.doubledUnits.isEmpty && placement.unevenUnits.isEmpty)
  }
}
