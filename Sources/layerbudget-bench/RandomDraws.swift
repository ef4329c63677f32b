/// SplitMix64 by Sebastiano Vigna: the same draws for the same seed on every machine.
struct RandomDraws: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  mutating func happens(_ probability: Double) -> Bool {
    Double.random(in: 0..<1, using: &self) < probability
  }

  /// Positive, spread evenly over `decades` powers of ten on either side of 1.
  mutating func spread(_ decades: Double) -> Double {
    let steps = Int(Double.random(in: -decades...decades, using: &self) * 1024)
    // 10^(1/1024), multiplied out: the last bits do not depend on a library's power function.
    var value = 1.0
    for _ in 0..<abs(steps) { value *= 1.002_251_148_292_912_9 }
    return steps < 0 ? 1 / value : value
  }

  /// Between −3 and 3 around 0, with a standard deviation of 1/√2: the sum of six even draws.
  mutating func bell() -> Double {
    (0..<6).reduce(0) { sum, _ in sum + Double.random(in: -0.5...0.5, using: &self) }
  }
}
