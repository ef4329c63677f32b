/// The slots of one layer as bundles, one per device: which experts lie together.
///
/// Each slot of an expert takes an equal part of its load. The heaviest slots come first, each to the
/// bundle with the least load that has room and not yet its full number of that expert. Where none has
/// both, slots move along a chain to make room. Then slots change places as long as that lowers the
/// heaviest bundle (`ReplicaBundles+Improvement`).
struct ReplicaBundles: Equatable {
  /// Experts in each bundle, ascending; one that is held twice comes twice.
  var experts: [[Int]]
  /// Load of each bundle.
  var loads: [Double]
  /// Load of one slot of each expert.
  let weights: [Double]
  /// How many slots each bundle has in the end.
  var sizes: [Int]
  /// Slots of each expert in each bundle, [bundle][expert].
  var held: [[Int]]

  /// - Parameters:
  ///   - counts: slots of each expert, from `ReplicaCounts` for the same sizes.
  /// - Complexity: O(slots · bundles), chains aside.
  init(loads expertLoads: [Double], counts: [Int], sizes: [Int]) {
    self.sizes = sizes
    weights = zip(expertLoads, counts).map { $0 / Double($1) }
    experts = sizes.map { _ in [] }
    loads = sizes.map { _ in 0 }
    held = sizes.map { _ in Array(repeating: 0, count: counts.count) }
    let heaviestFirst = counts.indices.sorted {
      weights[$0] != weights[$1] ? weights[$0] > weights[$1] : $0 < $1
    }
    for expert in heaviestFirst {
      for _ in 0..<counts[expert] { place(expert) }
    }
  }

  func limit(_ bundle: Int) -> Int {
    ReplicaCounts.copiesPerDevice(sizes[bundle], experts: weights.count)
  }

  private func mayHold(_ bundle: Int, _ expert: Int) -> Bool {
    held[bundle][expert] < limit(bundle)
  }

  private func hasRoom(_ bundle: Int) -> Bool { experts[bundle].count < sizes[bundle] }

  private mutating func place(_ expert: Int) {
    var best: Int?
    for bundle in sizes.indices where hasRoom(bundle) && mayHold(bundle, expert) {
      guard let chosen = best else {
        best = bundle
        continue
      }
      // Of equal loads the one with more room: what is nearly full may be needed for another.
      let room = (sizes[bundle] - experts[bundle].count, sizes[chosen] - experts[chosen].count)
      if loads[bundle] < loads[chosen] || loads[bundle] == loads[chosen] && room.0 > room.1 {
        best = bundle
      }
    }
    add(expert, to: best ?? bundleByChain(for: expert))
  }

  /// Breadth first over full bundles, from those that may hold the expert to one with room; the slots
  /// on the way move on, and the first bundle then has room.
  private mutating func bundleByChain(for expert: Int) -> Int {
    var queue = sizes.indices.filter { mayHold($0, expert) }
    var reached = sizes.indices.map { mayHold($0, expert) }
    var arrival = [(from: Int, expert: Int)?](repeating: nil, count: sizes.count)
    var next = 0
    while next < queue.count {
      let bundle = queue[next]
      next += 1
      for other in experts[bundle] {
        for target in sizes.indices where !reached[target] && mayHold(target, other) {
          arrival[target] = (bundle, other)
          reached[target] = true
          guard hasRoom(target) else {
            queue.append(target)
            continue
          }
          var end = target
          while let step = arrival[end] {
            remove(step.expert, from: step.from)
            add(step.expert, to: end)
            end = step.from
          }
          return end
        }
      }
    }
    preconditionFailure("counts of ReplicaCounts can always be laid out")
  }

  mutating func add(_ expert: Int, to bundle: Int) {
    let place = experts[bundle].firstIndex { $0 > expert } ?? experts[bundle].count
    experts[bundle].insert(expert, at: place)
    held[bundle][expert] += 1
    addUp(bundle)
  }

  mutating func remove(_ expert: Int, from bundle: Int) {
    guard let place = experts[bundle].firstIndex(of: expert) else {
      preconditionFailure("only what is held is removed")
    }
    experts[bundle].remove(at: place)
    held[bundle][expert] -= 1
    addUp(bundle)
  }

  /// Always the same sum for the same experts, whatever came and went.
  private mutating func addUp(_ bundle: Int) {
    loads[bundle] = experts[bundle].reduce(0) { $0 + weights[$1] }
  }
}
