/// How many tokens went to each logical expert of each unit, from JSON or CSV.
///
/// JSON: `{"units": [{"name": …, "loads": [90, 132, …]}]}`. CSV: `name,expert,tokens`, a row per
/// expert, experts counted from 0 in any order.
public struct LoadsTable: Sendable, Equatable {
  public static let format = "layerbudget.loads/1"

  public let source: String
  /// In the order of the file.
  public let units: [Unit]

  public struct Unit: Codable, Sendable, Equatable {
    public let name: String
    public let loads: [Double]

    public init(name: String, loads: [Double]) {
      self.name = name
      self.loads = loads
    }
  }

  private struct Document: Decodable {
    let units: [Unit]
  }

  /// - Throws: `invalid` for another format, a unit or expert that comes twice, a missing expert, a
  ///   load that is no finite number of 0 or more.
  public init(bytes: [UInt8], source: String) throws(PlanFileError) {
    self.source = source
    let first = bytes.first { !Array(" \t\r\n".utf8).contains($0) }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      if let format = DocumentCoding.format(of: bytes), format != Self.format {
        throw .invalid(
          "\(source): is a \(format) file, not \(Self.format); see docs/formats.md on loads")
      }
      units = try DocumentCoding.decode(Document.self, from: bytes, source: source).units
    } else {
      units = try Self.units(
        CSVTable(bytes: bytes, source: source, required: ["name", "expert", "tokens"]), source)
    }
    var names: Set<[UInt8]> = []
    for unit in units {
      guard names.insert(Array(unit.name.utf8)).inserted else {
        throw .invalid("\(source): unit \"\(unit.name)\" comes twice")
      }
      guard !unit.loads.isEmpty else {
        throw .invalid("\(source): unit \"\(unit.name)\" has no loads; give one per expert")
      }
      for (expert, load) in unit.loads.enumerated() where !(load.isFinite && load >= 0) {
        throw .invalid(
          "\(source): unit \"\(unit.name)\", expert \(expert): the load is \(load), but must be a "
            + "finite number of tokens, 0 or more")
      }
    }
  }

  private static func units(_ table: CSVTable, _ source: String) throws(PlanFileError) -> [Unit] {
    var order: [[UInt8]] = []
    var loads: [[UInt8]: [Int: Double]] = [:]
    for row in table.rows.indices {
      let line = table.rows[row].line
      let name = Array(table.text("name", row: row).utf8)
      let number = try table.number("expert", row: row)
      guard let number, number >= 0, number < 0x1p20, number == number.rounded() else {
        throw .invalid(
          "\(source): line \(line): expert is \"\(table.text("expert", row: row))\", but must be a whole "
            + "number from 0 to \((1 << 20) - 1)")
      }
      guard let tokens = try table.number("tokens", row: row) else {
        throw .invalid("\(source): line \(line) has no tokens")
      }
      if loads[name] == nil { order.append(name) }
      guard loads[name, default: [:]].updateValue(tokens, forKey: Int(number)) == nil else {
        throw .invalid(
          "\(source): line \(line) gives expert \(Int(number)) of a unit a second time")
      }
    }
    var units: [Unit] = []
    for name in order {
      let experts = loads[name] ?? [:]
      let text = String(decoding: name, as: UTF8.self)
      var values: [Double] = []
      for expert in 0..<experts.count {
        guard let load = experts[expert] else {
          throw .invalid(
            "\(source): unit \"\(text)\" has \(experts.count) experts but none with number \(expert); "
              + "experts are counted from 0 without gaps, idle ones with 0 tokens")
        }
        values.append(load)
      }
      units.append(Unit(name: text, loads: values))
    }
    return units
  }
}
