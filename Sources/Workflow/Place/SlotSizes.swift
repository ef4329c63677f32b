internal import Curvature
internal import PlanFiles

/// Bytes of a slot of each unit of a plan, in its order; fractions of a byte count as one.
struct SlotSizes {
  let ofUnit: [Int]
  /// Where they come from, for the output.
  let parameter: ParameterValue

  /// What the plan says of itself: `bytes_per_slot`, or costs that are bytes.
  ///
  /// - Throws: `usage` where it says neither.
  init(of plan: SlotPlan, source: String) throws(Failure) {
    if let bytes = plan.number("bytes_per_slot") {
      let size = try Self.whole(bytes, "\(source): its bytes_per_slot", .badData)
      (ofUnit, parameter) = (plan.units.map { _ in size }, .number(Double(size)))
      return
    }
    guard plan.text("budget_unit") == "bytes" || plan.text("unit") == "bytes" else {
      throw Failure(
        .usage,
        "\(source): its costs are not bytes, so the size of a slot is not known; give --bytes-per-slot "
          + "N, or FILE.csv with name,bytes, or allocate with a budget in bytes")
    }
    var sizes: [Int] = []
    for unit in plan.units {
      sizes.append(
        try Self.whole(unit.cost ?? 0, "\(source): the cost of unit \"\(unit.name)\"", .badData))
    }
    ofUnit = sizes
    parameter = .text("cost")
  }

  /// The same for every unit.
  init(_ bytes: Double, of plan: SlotPlan) throws(Failure) {
    let size = try Self.whole(bytes, "--bytes-per-slot", .usage)
    ofUnit = plan.units.map { _ in size }
    parameter = .number(Double(size))
  }

  /// From CSV `name,bytes`, which has every unit of the plan and no others.
  init(in file: InputFile, of plan: SlotPlan) throws(Failure) {
    let table: UnitNumbers
    do throws(PlanFileError) {
      table = try UnitNumbers(bytes: file.bytes, source: file.path, column: "bytes")
    } catch {
      throw Failure(error)
    }
    let names = Set(plan.units.map(\.name))
    if let unknown = table.values.keys.filter({ !names.contains($0) }).min() {
      throw Failure(noUnit: unknown, in: file.path, among: names)
    }
    var sizes: [Int] = []
    for unit in plan.units {
      guard let bytes = table.values[unit.name] else {
        throw Failure(
          .badData, "\(file.path): has no bytes for unit \"\(unit.name)\"; every unit needs them")
      }
      sizes.append(
        try Self.whole(bytes, "\(file.path): the bytes of unit \"\(unit.name)\"", .badData))
    }
    ofUnit = sizes
    parameter = .text("table")
  }

  private static func whole(
    _ bytes: Double, _ what: String, _ code: ExitCode
  ) throws(Failure) -> Int {
    guard bytes > 0, bytes < 0x1p53 else {
      throw Failure(code, "\(what): \(bytes) bytes per slot, but it must be above 0 and below 2^53")
    }
    return Int(bytes.rounded(.up))
  }
}
