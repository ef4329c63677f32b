internal import Placement
internal import PlanFiles

extension PlaceInputs {
  /// Places the units and says where everything lies. Not collective.
  ///
  /// - Throws: `infeasible` with the missing bytes; `badData` for values that are no problem.
  func place(
    on list: NodeList, beforeEach: () -> Void
  ) throws(Failure) -> PlacementDocument {
    let nodes = list.nodes.map {
      PlacementNode(name: $0.name, memory: $0.memoryBytes, devices: $0.devices)
    }
    let placement: SlotPlacement
    do throws(PlacementError) {
      placement = try PlacementProblem(nodes: nodes, units: units).placed(beforeEach: beforeEach)
    } catch {
      throw Failure(error)
    }
    var slotCounts = nodes.map { _ in 0 }
    for slot in placement.slots.joined() { slotCounts[slot.node] += 1 }
    var inputs = fingerprints
    inputs["nodes"] = list.input
    return PlacementDocument(
      parameters: ["bytes_per_slot": slotSize],
      nodes: nodes.enumerated().map { index, node in
        PlacementDocument.Node(
          name: node.name, memoryBytes: node.memory, devices: node.devices,
          deviceMemoryBytes: node.deviceMemory, deviceUsedBytes: placement.usedBytes[index],
          slotCount: slotCounts[index], deviceLoads: placement.loads?[index])
      },
      units: units.indices.map { unit(placement, $0) }, balancedness: placement.totalBalancedness,
      inputs: inputs, notes: notes(placement))
  }

  private func unit(_ placement: SlotPlacement, _ index: Int) -> PlacementDocument.Unit {
    let slots = placement.slots[index]
    var unit = PlacementDocument.Unit(
      name: units[index].name, bytesPerSlot: units[index].bytesPerSlot, slots: slots.map(\.node),
      devices: slots.map(\.device))
    guard let loads = units[index].loads else { return unit }
    let experts = slots.compactMap(\.expert)
    var counts = loads.map { _ in 0 }
    for expert in experts { counts[expert] += 1 }
    unit.experts = experts
    unit.expertSlots = counts
    unit.balancedness = placement.balancedness[index]
    return unit
  }

  private func notes(_ placement: SlotPlacement) -> [String] {
    func names(_ indices: [Int]) -> String {
      indices.prefix(3).map { "\"\(units[$0].name)\"" }.joined(separator: ", ")
        + (indices.count > 3 ? " and \(indices.count - 3) more" : "")
    }
    var notes: [String] = []
    if !placement.unevenUnits.isEmpty {
      notes.append(
        "memory leaves no room for an even spread: \(names(placement.unevenUnits)) differ from their "
          + "nodes' shares by a slot or more")
    }
    if !placement.doubledUnits.isEmpty {
      notes.append(
        "more slots on a device than there are experts: \(names(placement.doubledUnits)) hold an expert "
          + "twice on one device; fewer slots or more devices would do")
    }
    return notes
  }
}
