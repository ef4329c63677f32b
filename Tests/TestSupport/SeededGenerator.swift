internal import Glibc

/// SplitMix64 (Steele, Lea, Flood 2014): the same draws for the same seed in every run.
///
/// `next`, `uniform` and `integer` give the same bits on every machine; `normal` and `logNormal` go
/// through the platform's `log` and `exp`, whose last bit may differ. Not for cryptography.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) {
    state = seed
  }

  /// One of many sequences of a seed, so that case 17 can be drawn without cases 0 to 16.
  public init(seed: UInt64, stream: UInt64) {
    var names = SeededGenerator(seed: seed)
    let first = names.next()
    var mixed = SeededGenerator(seed: first ^ (stream &* 0xD134_2543_DE82_EF95))
    state = mixed.next()
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Uniform over the range, on a grid of 2⁵³ points that starts at the lower bound.
  public mutating func uniform(in range: ClosedRange<Double> = 0...1) -> Double {
    let unit = Double(next() >> 11) * 0x1p-53
    return range.lowerBound + unit * (range.upperBound - range.lowerBound)
  }

  /// Uniform over the whole numbers of the range.
  public mutating func integer(in range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &self)
  }

  /// Standard normal, by Marsaglia's polar method; one of its two values is thrown away.
  public mutating func normal() -> Double {
    while true {
      let (x, y) = (uniform(in: -1...1), uniform(in: -1...1))
      let radius = x * x + y * y
      if radius > 0 && radius < 1 { return x * (-2 * log(radius) / radius).squareRoot() }
    }
  }

  /// exp(location + scale · z), z standard normal: positive, with a long tail.
  public mutating func logNormal(location: Double = 0, scale: Double = 1) -> Double {
    exp(location + scale * normal())
  }
}
