/// Looks for any way to fit slots of a few sizes, device after device.
///
/// This is bin packing, which is NP-hard, so the search has a limit. A device is filled so that
/// nothing that is left would still fit, the fullest filling first; if a later device cannot go on,
/// the next filling is tried. Some placement exists only if one with such fillings does (a slot that
/// still fits can be moved here from a later device), so an exhausted search is a proof.
struct PackingSearch {
  enum Outcome: Equatable {
    /// [class][device].
    case found([[Int]])
    case impossible
    /// The limit came first.
    case undecided
  }

  private let bytes: [Int]
  private let memory: [Int]
  /// ⌊M/s⌋ summed from each device on, for the sizes that occur and 1: [size][device].
  private let roomFrom: [[Int128]]
  private let sizes: [Int]
  private var budget: Int
  private var wasCut = false
  private var hopeless: Set<[Int]> = []
  private var fillings: [[Int]] = []
  private var found: [(rest: Int, counts: [Int])] = []
  private var trial: [Int] = []

  /// Fillings of one device that are looked at, at most.
  private static let largestFillingCount = 2_000

  /// The search goes one call deeper per device; for more devices it does not begin.
  static let largestDeviceCount = 4_096

  /// - Parameter effort: steps after which it gives up.
  static func run(_ classes: [SizeClass], memory: [Int], effort: Int = 2_000_000) -> Outcome {
    guard memory.count <= largestDeviceCount else { return .undecided }
    var search = PackingSearch(classes, memory, effort)
    if search.fill(from: 0, classes.map(\.slots)) {
      return .found(
        classes.indices.map { position in search.fillings.map { $0[position] } })
    }
    return search.wasCut ? .undecided : .impossible
  }

  private init(_ classes: [SizeClass], _ memory: [Int], _ effort: Int) {
    bytes = classes.map(\.bytes)
    sizes = bytes + [1]
    self.memory = memory
    budget = effort
    roomFrom = sizes.map { size in
      var sums = [Int128](repeating: 0, count: memory.count + 1)
      for device in memory.indices.reversed() {
        sums[device] = sums[device + 1] + Int128(memory[device] / size)
      }
      return sums
    }
  }

  private mutating func fill(from device: Int, _ left: [Int]) -> Bool {
    if left.allSatisfy({ $0 == 0 }) {
      fillings += Array(repeating: left, count: memory.count - device)
      return true
    }
    guard device < memory.count, mayFit(left, from: device) else { return false }
    let state = left + [device]
    guard !hopeless.contains(state) else { return false }
    for filling in fullestFirst(left, memory[device]) {
      fillings.append(filling)
      if fill(from: device + 1, zip(left, filling).map { $0 - $1 }) { return true }
      fillings.removeLast()
      guard budget > 0 else { return false }
    }
    hopeless.insert(state)
    return false
  }

  /// `MemoryBound` for what is left.
  private func mayFit(_ left: [Int], from device: Int) -> Bool {
    sizes.indices.allSatisfy { index in
      zip(left, bytes).reduce(Int128(0)) { $0 + Int128($1.0) * Int128($1.1 / sizes[index]) }
        <= roomFrom[index][device]
    }
  }

  /// Fillings to which nothing can be added, by the bytes they leave.
  private mutating func fullestFirst(_ left: [Int], _ memory: Int) -> [[Int]] {
    found = []
    trial = Array(repeating: 0, count: left.count)
    complete(from: 0, left, rest: memory)
    return found.enumerated().sorted {
      $0.element.rest != $1.element.rest
        ? $0.element.rest < $1.element.rest : $0.offset < $1.offset
    }.map(\.element.counts)
  }

  /// Tries all counts of the classes from `position` on, large counts first.
  private mutating func complete(from position: Int, _ left: [Int], rest: Int) {
    guard found.count < Self.largestFillingCount, budget > 0 else {
      wasCut = true
      return
    }
    budget -= 1
    guard position < left.count else {
      let isFull = left.indices.allSatisfy { left[$0] == trial[$0] || bytes[$0] > rest }
      if isFull { found.append((rest, trial)) }
      return
    }
    let most = min(left[position], rest / bytes[position])
    // The last size takes all it can: with less, nothing would be full.
    let least = position == left.count - 1 ? most : 0
    for count in stride(from: most, through: least, by: -1) {
      trial[position] = count
      complete(from: position + 1, left, rest: rest - count * bytes[position])
    }
    trial[position] = 0
  }
}
