/// One number per unit name, from a `name,<column>` table.
public struct UnitNumbers: Sendable, Equatable {
  public let source: String
  public let values: [String: Double]

  public init(_ values: [String: Double], source: String) {
    self.source = source
    self.values = values
  }

  public init(bytes: [UInt8], source: String, column: String) throws(PlanFileError) {
    let table = try CSVTable(bytes: bytes, source: source, required: ["name", column])
    self.source = source
    self.values = try table.valuesByName { row throws(PlanFileError) in
      guard let value = try table.number(column, row: row) else {
        throw .invalid("\(source): line \(table.rows[row].line) has no \(column)")
      }
      return value
    }
  }
}

/// Bounds per unit name, from a `name,lower,upper` table; an empty field leaves a bound open.
public struct UnitBounds: Sendable, Equatable {
  public struct Bounds: Sendable, Equatable {
    public let lower: Double?
    public let upper: Double?

    public init(lower: Double?, upper: Double?) {
      self.lower = lower
      self.upper = upper
    }
  }
  public let source: String
  public let values: [String: Bounds]

  public init(_ values: [String: Bounds], source: String) {
    self.source = source
    self.values = values
  }

  public init(bytes: [UInt8], source: String) throws(PlanFileError) {
    let table = try CSVTable(bytes: bytes, source: source, required: ["name", "lower", "upper"])
    self.source = source
    self.values = try table.valuesByName { row throws(PlanFileError) in
      Bounds(lower: try table.number("lower", row: row), upper: try table.number("upper", row: row))
    }
  }
}

/// What single units have of the capacity program's own numbers, from a `name,alpha,gamma` table; an
/// empty field leaves what the options say.
public struct UnitPrograms: Sendable, Equatable {
  public struct Numbers: Sendable, Equatable {
    /// In the place of α.
    public let alpha: Double?
    /// Multiplies γ.
    public let gamma: Double?

    public init(alpha: Double?, gamma: Double?) {
      self.alpha = alpha
      self.gamma = gamma
    }
  }
  public let source: String
  public let values: [String: Numbers]

  public init(_ values: [String: Numbers], source: String) {
    self.source = source
    self.values = values
  }

  public init(bytes: [UInt8], source: String) throws(PlanFileError) {
    let table = try CSVTable(bytes: bytes, source: source, required: ["name", "alpha", "gamma"])
    self.source = source
    self.values = try table.valuesByName { row throws(PlanFileError) in
      func number(_ column: String) throws(PlanFileError) -> Double? {
        guard let value = try table.number(column, row: row) else { return nil }
        guard value >= 0, value.isFinite else {
          throw .invalid(
            "\(source): line \(table.rows[row].line): \(column) is \(value), but must be zero or "
              + "positive and finite; leave it empty for the option's value")
        }
        return value
      }
      return Numbers(alpha: try number("alpha"), gamma: try number("gamma"))
    }
  }
}

/// Scores of another method, from a `name,gain[,parameters]` table, in the table's order.
public struct ExternalScores: Sendable, Equatable {
  public let units: [ScoresDocument.Unit]

  public init(bytes: [UInt8], source: String) throws(PlanFileError) {
    let table = try CSVTable(
      bytes: bytes, source: source, required: ["name", "gain"], optional: ["parameters"])
    var units: [ScoresDocument.Unit] = []
    for row in table.rows.indices {
      let name = table.text("name", row: row)
      guard let gain = try table.number("gain", row: row) else {
        throw .invalid("\(source): line \(table.rows[row].line) has no gain")
      }
      units.append(
        ScoresDocument.Unit(
          name: name, modules: [], parameters: try table.parameters(row: row), gain: gain,
          gradientNormSquared: nil, quality: nil, modulesDetail: []))
    }
    self.units = units
  }
}

extension CSVTable {
  /// The weights of a row's unit; 0 where the table does not say them.
  func parameters(row: Int) throws(PlanFileError) -> Int {
    let parameters = try number("parameters", row: row) ?? 0
    guard parameters >= 0, parameters < 0x1p53, parameters == parameters.rounded() else {
      throw .invalid(
        "\(source): line \(rows[row].line): parameters is \(parameters), but must be a "
          + "whole number of weights")
    }
    return Int(parameters)
  }

  /// Values keyed by the `name` column; a name that comes twice is an error.
  fileprivate func valuesByName<Value>(
    _ value: (Int) throws(PlanFileError) -> Value
  ) throws(PlanFileError) -> [String: Value] {
    var values: [String: Value] = [:]
    for row in rows.indices {
      let name = text("name", row: row)
      guard values.updateValue(try value(row), forKey: name) == nil else {
        throw .invalid("\(source): line \(rows[row].line) names \"\(name)\" a second time")
      }
    }
    return values
  }
}
