internal import Curvature
internal import DenseLinearAlgebra

/// How fast this machine computes and reads, measured in a fraction of a second: a dry run makes times
/// of its operations and bytes with it.
public struct MachineRates: Codable, Sendable, Equatable {
  /// Of a matrix product in the precision of the run, per rank.
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

  /// Measured here and now, with the BLAS threads that are set.
  static func measured(_ statistics: Statistics, _ options: GainOptions) -> MachineRates {
    let rate =
      options.precision == .single
      ? productRate(of: Float.self) : productRate(of: Double.self)
    let clock = ContinuousClock()
    let start = clock.now
    // What is wrong with the values is for the run to say.
    let bytes = (try? statistics.readSample(atMost: 1 << 26, under: options)) ?? 0
    let seconds = start.duration(to: clock.now).inSeconds
    return MachineRates(
      operationsPerSecond: rate,
      bytesPerSecond: bytes > 0 && seconds > 0 ? Double(bytes) / seconds : nil)
  }

  /// The best of five products of order 768, after one that wakes the library.
  private static func productRate<Element: LinearAlgebraElement>(of type: Element.Type) -> Double {
    let order = 768
    let matrix = Matrix<Element>(
      rows: order, columns: order,
      elements: (0..<order * order).map { Element(1 / Double(1 + $0 % 97)) })
    let clock = ContinuousClock()
    var best = Double.infinity
    for round in 0...5 {
      let start = clock.now
      let result = product(matrix, matrix, transposedB: true)
      let seconds = start.duration(to: clock.now).inSeconds
      // Asked for, so that nothing is left out as unused.
      if round > 0, result[0, 0] > 0 { best = min(best, seconds) }
    }
    let side = Double(order)
    return 2 * side * side * side / best
  }
}
