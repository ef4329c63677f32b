import Collectives
import Synchronization
import TestSupport
import Testing

@Suite("Computations that share their allreduces")
struct JointCollectiveTests {
  /// A walk of calls that depends on the computation's number and on the answers so far.
  private static func walk(
    _ number: Int, over world: borrowing some Collective & ~Copyable
  ) -> [Double] {
    var trace: [Double] = []
    var state = number
    for step in 0..<(3 + 5 * number) {
      switch (state + step) % 5 {
      case 0, 1:
        var sums = (0..<(1 + number)).map { Int128(state * ($0 + 1) + world.rank) }
        world.sum(&sums)
        trace += sums.map { Double(Int($0)) }
        state = Int(sums[0] % 1000)
      case 2:
        var maxima = [Double(state * (world.rank + 1) % 17), -Double(world.rank)]
        world.maximum(&maxima)
        trace += maxima
        state += Int(maxima[0])
      case 3:
        let told = world.broadcast([UInt8(state % 200)], from: step % world.size)
        trace += told.map(Double.init)
        state += Int(told[0])
      default:
        let all = world.gather([UInt8(world.rank), UInt8(number)], at: 0)
        trace.append(Double(all.joined().reduce(0) { $0 + Int($1) }))
        world.barrier()
      }
    }
    return trace
  }

  @Test("Every computation gets what it would get alone", arguments: [1, 2, 3, 7])
  func alone(ranks: Int) throws {
    let alone = ThreadedCollective.run(ranks: ranks) { world in
      (0..<6).map { Self.walk($0, over: world) }
    }
    let together = ThreadedCollective.run(ranks: ranks) { world in
      JointCollective.run(6, over: world) { number, joint in Self.walk(number, over: joint) }
        .results
    }
    #expect(together == alone)
    #expect(JointCollective.run(0, over: SoloCollective()) { number, _ in number }.results.isEmpty)
  }

  /// Counts the calls that reach the communicator.
  private struct Counting: Collective, ~Copyable {
    let calls: Mutex<Int>
    var rank: Int { 0 }
    var size: Int { 1 }
    func sum(_ values: inout [Int128]) { calls.withLock { $0 += 1 } }
    func maximum(_ values: inout [Double]) { calls.withLock { $0 += 1 } }
    func gather(_ bytes: [UInt8], at root: Int) -> [[UInt8]] { [bytes] }
    func broadcast(_ bytes: [UInt8], from root: Int) -> [UInt8] { bytes }
    func barrier() {}
  }

  @Test("The longest computation decides how many allreduces there are")
  func merged() {
    let world = Counting(calls: Mutex(0))
    let lengths = [3, 40, 17, 1, 40]
    let (results, allreduces) = JointCollective.run(lengths.count, over: world) { number, joint in
      var total: Int128 = 0
      for step in 0..<lengths[number] {
        var values = [Int128(step), Int128(number)]
        joint.sum(&values)
        total += values[0] + values[1]
      }
      return Int(total)
    }
    #expect(results == lengths.enumerated().map { $1 * ($1 - 1) / 2 + $0 * $1 })
    #expect(world.calls.withLock { $0 } == 40 && allreduces == 40)
  }
}
