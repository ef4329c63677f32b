/// Where every slot lies.
public struct SlotPlacement: Sendable, Equatable {
  public struct Slot: Sendable, Equatable {
    /// Index of the node.
    public let node: Int
    /// Index of the device on its node.
    public let device: Int
    /// The logical expert it holds; nil without loads.
    public let expert: Int?
  }

  /// Slots of each unit, by node, device and expert.
  public var slots: [[Slot]]
  /// Bytes that are taken on each device of each node.
  public var usedBytes: [[Int]]
  /// Load of each device of each node over all units with loads; nil without loads.
  public var loads: [[Double]]?
  /// Per unit with loads: mean over largest load of a device.
  public var balancedness: [Double?]
  /// Σ mean loads / Σ largest loads over the units: the share of time that an average device works
  /// when layers run one after another. Nil without loads.
  public var totalBalancedness: Double?
  /// Units whose spread over the nodes is not within one slot of the nodes' shares.
  public var unevenUnits: [Int]
  /// Units with a device that holds two slots of one expert or more.
  public var doubledUnits: [Int]
}

extension PlacementProblem {
  /// Places every slot, no device above its memory. A pure function: ties go to the lower index.
  ///
  /// 1. Slots are spread by memory, units of the largest slots first (`SlotCounts`).
  /// 2. Where that ends in a corner, a packing is searched and evened out (`PackingSearch`).
  /// 3. Units with loads: experts get their numbers of slots (`ReplicaCounts`), slots become bundles of
  ///    even load (`ReplicaBundles`), and bundles go to devices (`LoadRotation`).
  ///
  /// - Parameter beforeEach: called before the slots of each unit go to devices, for reports.
  /// - Throws: `infeasible` with the bytes that are missing.
  public func placed(
    beforeEach: () -> Void = {}
  ) throws(PlacementError) -> SlotPlacement {
    let devices = DeviceList(nodes)
    let classes = SizeClass.of(units)
    if let bound = MemoryBound.broken(classes, memory: devices.memory) {
      throw .infeasible(bound.explanation(self, classes))
    }
    let counts = try counts(classes, devices)
    var rotation = LoadRotation(devices: devices.count)
    var placement = SlotPlacement(
      slots: [],
      usedBytes: devices.ofNode.map { range in
        range.map { devices.memory[$0] - counts.free[$0] }
      }, loads: nil, balancedness: [], totalBalancedness: nil,
      unevenUnits: units.indices.filter { !counts.isEven($0, self, devices) }, doubledUnits: [])
    var (mean, largest) = (0.0, 0.0)

    for (index, unit) in units.enumerated() {
      beforeEach()
      let planned = counts.counts[index]
      guard let loads = unit.loads, unit.slots > 0 else {
        placement.slots.append(devices.slots(planned.map { Array(repeating: nil, count: $0) }))
        placement.balancedness.append(nil)
        continue
      }
      var bundles = ReplicaBundles(
        loads: loads, counts: ReplicaCounts.of(loads, slotsOfDevice: planned), sizes: planned)
      bundles.improve()
      let chosen = rotation.assign(bundles, planned: planned)
      placement.slots.append(devices.slots(chosen.map { bundles.experts[$0].map(Optional.some) }))
      let heaviest = bundles.loads.max() ?? 0
      let average = loads.reduce(0, +) / Double(devices.count)
      placement.balancedness.append(heaviest > 0 ? average / heaviest : 1)
      (mean, largest) = (mean + average, largest + heaviest)
      if bundles.held.contains(where: { $0.contains { $0 > 1 } }) {
        placement.doubledUnits.append(index)
      }
    }
    if placement.balancedness.contains(where: { $0 != nil }) {
      placement.loads = devices.ofNode.map { Array(rotation.total[$0]) }
      placement.totalBalancedness = largest > 0 ? mean / largest : 1
    }
    return placement
  }

  private func counts(
    _ classes: [SizeClass], _ devices: DeviceList
  ) throws(PlacementError) -> SlotCounts {
    if let counts = SlotCounts(self, classes, devices) { return counts }
    let unused =
      devices.memory.reduce(Int128(0)) { $0 + Int128($1) }
      - classes.reduce(Int128(0)) { $0 + Int128($1.slots) * Int128($1.bytes) }
    let sizes = classes.map { "\($0.slots) of \($0.bytes)" }.joined(separator: ", ")
    let advice =
      "give the nodes more memory or fewer devices, or allocate with a smaller budget (such as "
      + "--budget nodes:0.9)"
    switch PackingSearch.run(classes, memory: devices.memory) {
    case .found(let packing):
      let even = PackingEvening(packing, classes, memory: devices.memory)
      guard let counts = SlotCounts(self, classes, devices, packing: even.packing) else {
        preconditionFailure("a packing has room for every class")
      }
      return counts
    case .impossible:
      throw .infeasible(
        "the slots do not fit: all of them would leave \(unused) bytes free, but slots of these sizes "
          + "(\(sizes) bytes) cannot be divided over the devices, whatever the arrangement; \(advice)"
      )
    case .undecided:
      throw .infeasible(
        "no placement was found: all slots would leave \(unused) bytes free, but slots of these sizes "
          + "(\(sizes) bytes) leave gaps on the devices; there may still be a placement (packing is "
          + "NP-hard and the search has a limit); \(advice)")
    }
  }
}

extension DeviceList {
  /// Slots of one unit from the experts of each device.
  func slots(_ experts: [[Int?]]) -> [SlotPlacement.Slot] {
    experts.enumerated().flatMap { device, held in
      held.map { expert in
        SlotPlacement.Slot(
          node: node[device], device: device - ofNode[node[device]].lowerBound, expert: expert)
      }
    }
  }
}
