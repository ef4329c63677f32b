internal import Curvature
internal import Placement
internal import PlanFiles
internal import TensorFiles

/// The units of a plan with the bytes and loads of their slots.
struct PlaceInputs {
  let units: [PlacementUnit]
  /// By what the inputs are recognised, for the output.
  let fingerprints: [String: InputFingerprint]
  /// Where the bytes per slot come from, for the output.
  let slotSize: ParameterValue

  /// Reads plan, sizes and loads. Not collective.
  ///
  /// - Throws: `usage` where the bytes of a slot are not known; `badData` for a plan that does not count
  ///   slots, and for tables that do not fit it.
  init(_ request: PlaceRequest) throws(Failure) {
    var fingerprints: [String: InputFingerprint] = [:]
    func file(_ path: String, as name: String) throws(Failure) -> InputFile {
      let file = try InputFile(path: path)
      fingerprints[name] = InputFingerprint(
        bytes: file.bytes.count, headers: nil, contents: file.checksum.hexadecimal)
      return file
    }
    let plan = try Self.plan(in: try file(request.plan, as: "plan"))
    let sizes: SlotSizes
    switch request.slotSize {
    case .ofPlan: sizes = try SlotSizes(of: plan, source: request.plan)
    case .bytes(let bytes): sizes = try SlotSizes(bytes, of: plan)
    case .table(let path):
      sizes = try SlotSizes(in: try file(path, as: "bytes_per_slot"), of: plan)
    }
    slotSize = sizes.parameter

    var loads: [NaturalName: [Double]] = [:]
    if let path = request.loads {
      loads = try Self.loads(in: try file(path, as: "loads"), of: plan)
    }
    var units: [PlacementUnit] = []
    for (unit, bytes) in zip(plan.units, sizes.ofUnit) {
      units.append(
        PlacementUnit(
          name: unit.name, slots: unit.integer ?? 0, bytesPerSlot: bytes,
          loads: loads[NaturalName(unit.name)]))
    }
    self.units = units
    self.fingerprints = fingerprints
  }

  /// Changes when any input changes.
  var checksum: UInt64 {
    let text = fingerprints.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.contents)" }
    return XXHash64.hash(Array(text.joined(separator: " ").utf8))
  }

  /// A capacity plan in whole slots, every unit once.
  private static func plan(in file: InputFile) throws(Failure) -> SlotPlan {
    let plan: SlotPlan
    do throws(PlanFileError) {
      plan = try DocumentCoding.decode(SlotPlan.self, from: file.bytes, source: file.path)
    } catch {
      throw Failure(error)
    }
    func refusal(_ problem: String) -> Failure {
      Failure(
        .badData,
        "\(file.path): \(problem); make a plan with layerbudget allocate --integer --unit slots")
    }
    guard plan.format == PlanDocument.format else {
      throw refusal(
        "its format is \"\(plan.format)\", but place needs \"\(PlanDocument.format)\"")
    }
    guard plan.program == .capacity else {
      throw refusal("is a plan of the \(plan.program.rawValue) program, which has no slots")
    }
    // A unit "bytes" whose costs are not said to be bytes stands for slots that cost bytes.
    let kind = plan.text("unit") ?? "slots"
    guard kind == "slots" || kind == "bytes" && plan.text("budget_unit") == nil else {
      throw refusal("counts units of \"\(kind)\", but place needs expert slots")
    }
    var seen: Set<NaturalName> = []
    for unit in plan.units {
      guard seen.insert(NaturalName(unit.name)).inserted else {
        throw refusal("lists unit \"\(unit.name)\" twice")
      }
      guard let slots = unit.integer else {
        throw refusal("unit \"\(unit.name)\" has no whole number of slots (\"integer\")")
      }
      guard slots >= 0 else { throw refusal("unit \"\(unit.name)\" has \(slots) slots") }
    }
    return plan
  }

  /// Loads of every unit that has slots; a table that says less or more is refused.
  private static func loads(
    in file: InputFile, of plan: SlotPlan
  ) throws(Failure) -> [NaturalName: [Double]] {
    let table: LoadsTable
    do throws(PlanFileError) {
      table = try LoadsTable(bytes: file.bytes, source: file.path)
    } catch {
      throw Failure(error)
    }
    let known = Dictionary(
      plan.units.map { (NaturalName($0.name), $0.integer ?? 0) },
      uniquingKeysWith: { first, _ in first })
    var loads: [NaturalName: [Double]] = [:]
    for unit in table.units {
      let name = NaturalName(unit.name)
      guard let slots = known[name] else {
        throw Failure(noUnit: unit.name, in: file.path, among: Set(plan.units.map(\.name)))
      }
      guard slots >= unit.loads.count || slots == 0 else {
        throw Failure(
          .badData,
          "\(file.path): unit \"\(unit.name)\" has \(unit.loads.count) experts, but the plan gives it "
            + "\(slots) slots, and every expert needs one; allocate with --min \(unit.loads.count), or "
            + "place without --loads")
      }
      loads[name] = slots == 0 ? nil : unit.loads
    }
    for unit in plan.units where (unit.integer ?? 0) > 0 && loads[NaturalName(unit.name)] == nil {
      throw Failure(
        .badData,
        "\(file.path): has no loads for unit \"\(unit.name)\"; every unit with slots needs them")
    }
    return loads
  }
}
