import Allocation
import Collectives
import Foundation
import PlanFiles
import Synchronization
import TestSupport
import Testing

@testable import Workflow

@Suite("What rank 0 does alone gives signs of life")
struct LoneWorkTests {
  /// Foundation has a Progress too.
  private typealias Report = Collectives.Progress

  /// Threads as ranks, whose reports are kept.
  private struct Reporting: Collective {
    let world: ThreadedCollective
    let kept: Kept
    var rank: Int { world.rank }
    var size: Int { world.size }
    func sum(_ values: inout [Int128]) { world.sum(&values) }
    func maximum(_ values: inout [Double]) { world.maximum(&values) }
    func gather(_ bytes: [UInt8], at root: Int) -> [[UInt8]] { world.gather(bytes, at: root) }
    func broadcast(_ bytes: [UInt8], from root: Int) -> [UInt8] {
      world.broadcast(bytes, from: root)
    }
    func barrier() { world.barrier() }
    func report(_ progress: Report) { kept.add(progress, of: rank) }
  }

  private final class Kept: Sendable {
    private let reports = Mutex<[(rank: Int, progress: Report)]>([])
    func add(_ progress: Report, of rank: Int) {
      reports.withLock { $0.append((rank, progress)) }
    }
    func all(_ activity: Report.Activity) -> [(rank: Int, progress: Report)] {
      reports.withLock { $0.filter { $0.progress.activity == activity } }
    }
  }

  private let unitCount = 40

  private func scores(in folder: String) throws -> GainSource {
    let document = ScoresDocument(
      curvature: "external", damping: "none", parameters: [:],
      units: (0..<unitCount).map { index in
        ScoresDocument.Unit(
          name: "layers.\(index)", modules: [], parameters: 100, gain: Double(1 + index % 7),
          gradientNormSquared: nil, quality: nil, modulesDetail: [])
      }, inputs: [:], notes: [])
    let path = folder + "/scores.json"
    try Data(DocumentCoding.encode(document)).write(to: URL(fileURLWithPath: path))
    return .scores(path: path)
  }

  private func plan(_ source: GainSource, _ output: String) -> AllocateRequest {
    var request = AllocateRequest(
      source: source, measure: CapacityMeasure(budget: .amount(400, .slots)), output: output)
    request.wholeNumbers = true
    return request
  }

  /// The reports of three ranks that do something together.
  private func reports(
    _ body: @escaping @Sendable (Reporting) throws(Failure) -> Void
  ) throws -> Kept {
    let kept = Kept()
    _ = try ThreadedCollective.run(ranks: 3) { world throws(Failure) in
      try body(Reporting(world: world, kept: kept))
    }
    return kept
  }

  @Test("Gathering a plan and writing it, as much as there is of it")
  func writing() throws {
    try temporaryFolder { folder in
      let request = plan(try scores(in: folder), folder + "/plan.json")
      let kept = try reports { world throws(Failure) in _ = try request.run(over: world) }
      let assembling = kept.all(.assembling)
      // Outside of #expect: Swift 6.3 mixes up closures within it and those that follow.
      let isLone = assembling.allSatisfy { $0.rank == 0 }
      #expect(isLone)
      // 1. The plan's units, then the slices of the run file, rank by rank.
      let gathered = assembling.filter { $0.progress.total == 3 }
      #expect(gathered.map(\.progress.done) == [0, 1, 2, 0, 1, 2])
      #expect(gathered.allSatisfy { $0.progress.begunWork > 0 })
      // 2. The file.
      let written = assembling.filter { $0.progress.total == 1 }.map(\.progress.begunWork)
      #expect(written == [LoneWork.writing(unitCount)])
      let size = try Data(contentsOf: URL(fileURLWithPath: request.output)).count
      #expect(LoneWork.writing(unitCount) > LoneWork.decoding(size) / 3)
    }
  }

  @Test("Solving a plan again from itself")
  func verifying() throws {
    try temporaryFolder { folder in
      let request = plan(try scores(in: folder), folder + "/plan.json")
      _ = try request.run(over: SoloCollective())
      let kept = try reports { world throws(Failure) in
        _ = try PlanVerification.of(request.output, over: world)
      }
      let checking = kept.all(.checking)
      #expect(checking.map(\.rank) == [0])
      #expect(checking.first?.progress.begunWork == LoneWork.solving(unitCount))
    }
  }

  @Test("Placing, unit by unit")
  func placing() throws {
    try temporaryFolder { folder in
      let request = plan(try scores(in: folder), folder + "/plan.json")
      _ = try request.run(over: SoloCollective())
      let nodes = folder + "/nodes.json"
      let text = #"{"nodes": [{"name": "a", "memory_bytes": 9000000, "devices": 2}]}"#
      try Data(text.utf8).write(to: URL(fileURLWithPath: nodes))
      var place = PlaceRequest(plan: request.output, nodes: nodes, output: nil)
      place.slotSize = .bytes(1000)
      let placed = place
      let kept = try reports { world throws(Failure) in _ = try placed.run(over: world) }
      let reported = kept.all(.placing)
      #expect(reported.map(\.progress.done) == Array(0..<unitCount))
      #expect(reported.allSatisfy { $0.rank == 0 && $0.progress.begunWork >= 0 })
    }
  }
}
