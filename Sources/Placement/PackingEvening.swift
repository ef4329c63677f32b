/// Brings a packing nearer to even shares, by single moves and by exchanges of two slots.
///
/// Measured by Σ (b (y − share))² over classes and devices, in bytes; the result is a packing again. A
/// first-improvement descent with a limit on its work: where memory is tight there is little to gain.
struct PackingEvening {
  /// [class][device].
  private(set) var packing: [[Int]]
  private let bytes: [Int]
  private let shares: [[Double]]
  private var free: [Int]
  /// Steps it might still have looked at.
  private(set) var effort: Int

  init(_ packing: [[Int]], _ classes: [SizeClass], memory: [Int], effort: Int = 20_000_000) {
    self.packing = packing
    self.effort = effort
    bytes = classes.map(\.bytes)
    shares = classes.map { size in
      let rooms = memory.map { Double($0 / size.bytes) }
      let total = rooms.reduce(0, +)
      return rooms.map { Double(size.slots) * $0 / total }
    }
    free = memory.indices.map { device in
      memory[device] - zip(packing, classes).reduce(0) { $0 + $1.0[device] * $1.1.bytes }
    }
    while improve() {}
  }

  /// What one slot more on a device changes of the measure; one less with `step` −1.
  private func change(_ position: Int, _ device: Int, _ step: Double) -> Double {
    let size = Double(bytes[position])
    return size * size
      * (1 + 2 * step * (Double(packing[position][device]) - shares[position][device]))
  }

  /// By more than rounding, or two arrangements of one measure would take turns for ever.
  private func isImprovement(_ change: Double, _ position: Int) -> Bool {
    change < -1e-9 * Double(bytes[position]) * Double(bytes[position])
  }

  private mutating func improve() -> Bool {
    var improved = false
    for position in bytes.indices {
      for from in free.indices where packing[position][from] > 0 {
        for to in free.indices where to != from && packing[position][from] > 0 {
          guard effort > 0 else { return false }
          effort -= 1
          let gain = change(position, from, -1) + change(position, to, 1)
          if free[to] >= bytes[position] {
            if isImprovement(gain, position) {
              shift(position, from, to)
              improved = true
            }
            continue
          }
          improved = exchange(position, from, to, gain) || improved
        }
      }
    }
    return improved
  }

  /// A slot of the class against the first smaller one that makes it fit and worth it.
  private mutating func exchange(_ position: Int, _ from: Int, _ to: Int, _ gain: Double) -> Bool {
    for other in bytes.indices where other > position && packing[other][to] > 0 {
      effort -= 1
      guard free[to] + bytes[other] >= bytes[position],
        isImprovement(gain + change(other, to, -1) + change(other, from, 1), position)
      else { continue }
      shift(position, from, to)
      shift(other, to, from)
      return true
    }
    return false
  }

  private mutating func shift(_ position: Int, _ from: Int, _ to: Int) {
    packing[position][from] -= 1
    packing[position][to] += 1
    free[from] += bytes[position]
    free[to] -= bytes[position]
  }
}
