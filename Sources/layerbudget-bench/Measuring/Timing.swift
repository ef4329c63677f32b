internal import Collectives
internal import Glibc

/// How long one thing took in each round, in seconds; of several ranks, the slowest one's times.
struct Timing: Encodable {
  let rounds: [Double]

  var median: Double { rounds.sorted()[rounds.count / 2] }
  var fastest: Double { rounds.min() ?? .infinity }
  var slowest: Double { rounds.max() ?? 0 }

  enum CodingKeys: String, CodingKey {
    case median = "median_seconds"
    case fastest = "fastest_seconds"
    case slowest = "slowest_seconds"
    case rounds
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(median, forKey: .median)
    try fields.encode(fastest, forKey: .fastest)
    try fields.encode(slowest, forKey: .slowest)
    try fields.encode(rounds.count, forKey: .rounds)
  }

  /// The median over rounds of this time per `other`'s time in the same round: what disturbs the
  /// machine for longer than a round disturbs both.
  func ratio(to other: Timing) -> Double {
    Timing(rounds: zip(rounds, other.rounds).map { $0 / $1 }).median
  }
}

extension BenchOptions {
  /// Runs `bodies` one after the other, round after round, and times each of them.
  ///
  /// Collective: all ranks start each body together, and a round counts what its slowest rank took.
  /// - Returns: one timing per body, in their order.
  func time(
    over world: borrowing some Collective & ~Copyable, _ bodies: [() throws -> Void]
  ) throws -> [Timing] {
    let clock = ContinuousClock()
    let start = clock.now
    var isWarm = false
    while !isWarm {
      for body in bodies { try body() }
      var left = [start.duration(to: clock.now).inSeconds < warmUp ? 1.0 : 0.0]
      world.maximum(&left)
      isWarm = left[0] == 0
    }
    var rounds: [[Double]] = []
    for _ in 0..<repeats {
      var times: [Double] = []
      for body in bodies {
        world.barrier()
        let began = (clock.now, Self.cpuSeconds)
        try body()
        times.append(
          countsCPU ? Self.cpuSeconds - began.1 : began.0.duration(to: clock.now).inSeconds)
      }
      world.maximum(&times)
      rounds.append(times)
    }
    return bodies.indices.map { body in Timing(rounds: rounds.map { $0[body] }) }
  }
}

extension BenchOptions {
  /// CPU seconds of all threads of this process so far.
  private static var cpuSeconds: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

extension Duration {
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
