internal import ArgumentParser
internal import Collectives

/// How long the ranks need to add numbers up, by their count.
struct AllreduceBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce",
    abstract: "Time per exact sum over all ranks, by the count of numbers.")

  @OptionGroup var options: BenchOptions

  @Option(help: "Sums per measured round.")
  var calls = 1000

  func validate() throws {
    guard calls >= 1 else { throw ValidationError("--calls is \(calls), but must be at least 1") }
  }

  func run() throws { try Bench.run(AllreduceWork(options: options, calls: calls)) }
}

private struct AllreduceWork: Bench.Work {
  let name = "allreduce"
  let options: BenchOptions
  let calls: Int

  struct Line: Encodable {
    let numbers: Int
    let microsecondsPerCall: Double

    enum CodingKeys: String, CodingKey {
      case numbers
      case microsecondsPerCall = "microseconds_per_call"
    }
  }

  func measure(over world: borrowing some Collective & ~Copyable) throws -> [Line] {
    let clock = ContinuousClock()
    return [1, 8, 64, 512, 4096].map { numbers in
      let times = (0..<options.repeats).map { round in
        // The closures of `time(over:_:)` cannot hold the world, so this benchmark has its own loop.
        var values = [Int128](repeating: 1, count: numbers)
        world.barrier()
        let began = clock.now
        for _ in 0..<calls {
          for index in values.indices { values[index] = Int128(round) }
          world.sum(&values)
        }
        return began.duration(to: clock.now).inSeconds
      }
      return Line(
        numbers: numbers, microsecondsPerCall: Timing(rounds: times).median / Double(calls) * 1e6)
    }
  }
}
