internal import Collectives
internal import Curvature
internal import DenseLinearAlgebra

/// How fast this machine computes and reads, measured in a fraction of a second: a dry run makes times
/// of its operations and bytes with it.
public struct MachineRates: Codable, Sendable, Equatable {
  /// Of a matrix product in the precision of the run, per rank with its share of the cores.
  public let operationsPerSecond: Double
  /// Of reading and decoding the statistics, per rank; nil where there was nothing to read.
  public let bytesPerSecond: Double?

  enum CodingKeys: String, CodingKey {
    case operationsPerSecond = "operations_per_second"
    case bytesPerSecond = "bytes_per_second"
  }

  /// Seconds of a rank: reading is not hidden, since decoding is the rank's own work.
  func seconds(operations: Double, bytes: Int) -> Double {
    operations / operationsPerSecond + (bytesPerSecond.map { Double(bytes) / $0 } ?? 0)
  }

  /// Measured here and now by every rank at the same time, as they will work, with the BLAS threads that are set.
  ///
  /// Products are timed by the processor time of the slowest rank, times the mean share of a processor that ranks
  /// got meanwhile: where they are more than cores the system has not spread them evenly after so short a
  /// time, and will have in a run. Reading is timed by the clock, the slowest rank counts. Collective.
  static func measured(
    _ statistics: Statistics, _ options: GainOptions,
    over world: borrowing some Collective & ~Copyable
  ) -> MachineRates {
    world.barrier()
    let products =
      options.precision == .single
      ? TimedProducts(of: Float.self) : TimedProducts(of: Double.self)
    let clock = ContinuousClock()
    let start = clock.now
    // What is wrong with the values is for the run to say.
    let bytes = (try? statistics.readSample(atMost: 1 << 26, under: options)) ?? 0
    let seconds = start.duration(to: clock.now).inSeconds
    var slowness = [1 / products.operationsPerSecond, bytes > 0 ? seconds / Double(bytes) : 0]
    world.maximum(&slowness)
    var shares = [Int128(products.share * 0x1p32)]
    world.sum(&shares)
    let share = Double(shares[0]) * 0x1p-32 / Double(world.size)
    return MachineRates(
      operationsPerSecond: share / slowness[0],
      bytesPerSecond: slowness[1] > 0 ? 1 / slowness[1] : nil)
  }
}

/// Products of order 768, for some tenths of a second.
private struct TimedProducts {
  /// Of the fastest one, per second of processor time.
  let operationsPerSecond: Double
  /// Processor time over wall time, at most 1.
  let share: Double

  init<Element: LinearAlgebraElement>(of type: Element.Type) {
    let order = 768
    let matrix = Matrix<Element>(
      rows: order, columns: order,
      elements: (0..<order * order).map { Element(1 / Double(1 + $0 % 97)) })
    // One that wakes the library.
    var isUsed = product(matrix, matrix, transposedB: true)[0, 0] > 0
    let clock = ContinuousClock()
    let (start, startOfThread) = (clock.now, ProcessorTime.ofThisThread)
    var (best, wall, rounds) = (Double.infinity, 0.0, 0)
    // Asked for, so that nothing is left out as unused.
    while isUsed && (rounds < 5 || wall < 0.2) {
      let before = ProcessorTime.ofThisThread
      isUsed = product(matrix, matrix, transposedB: true)[0, 0] > 0
      best = min(best, ProcessorTime.ofThisThread - before)
      wall = start.duration(to: clock.now).inSeconds
      rounds += 1
    }
    let side = Double(order)
    operationsPerSecond = 2 * side * side * side / best
    share = min(max((ProcessorTime.ofThisThread - startOfThread) / wall, 0x1p-10), 1)
  }
}
