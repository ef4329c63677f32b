/// Scores that another program wrote, in one of the forms that such programs use.
///
/// A table `name,gain[,parameters]`; JSON, or the same as Python prints it: `{"name": value}`,
/// `[{"name": …, "gain": …}]` or `[value, …]`; a row of numbers in a NumPy file; numbers with commas or
/// white space between them. Values without names are taken in their order and named by it.
public struct ForeignScores: Sendable, Equatable {
  public let units: [ScoresDocument.Unit]
  /// What a reader should know of the names.
  public let note: String?

  /// - Parameter names: for values that have none, one for each.
  public init(bytes: [UInt8], source: String, names: UnitNames? = nil) throws(PlanFileError) {
    let values: [Double]
    switch try Self.contents(bytes, source) {
    case .named(let units):
      if let names {
        throw .invalid(
          "\(source): names its units itself, so \(names.source) is not needed; leave --score-names out"
        )
      }
      self.units = units
      note = nil
      return
    case .values(let all): values = all
    }
    guard let names else {
      units = values.enumerated().map { Self.unit("model.layers.\($0.offset)", $0.element) }
      // No path here: the note goes into the plan, which does not depend on paths.
      note =
        "the scores name no units: the \(values.count) values are taken as those of model.layers.0 to "
        + "model.layers.\(max(values.count - 1, 0)); give other names with --score-names FILE"
      return
    }
    guard names.names.count == values.count else {
      throw .invalid(
        "\(source): has \(values.count) values, but \(names.source) has \(names.names.count) names; "
          + "give one name per value, in the same order")
    }
    units = zip(names.names, values).enumerated().map { position, named in
      Self.unit(named.0, named.1, parameters: names.parameters?[position] ?? 0)
    }
    note = nil
  }

  private enum Contents {
    case named([ScoresDocument.Unit])
    case values([Double])
  }

  private static func contents(
    _ bytes: [UInt8], _ source: String
  ) throws(PlanFileError) -> Contents {
    if bytes.starts(with: NumPyVector.magic) {
      return .values(try NumPyVector(bytes: bytes, source: source).values)
    }
    let first = bytes.first { !" \n\r\t".utf8.contains($0) }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      return try contents(of: try PlainLiteral(bytes: bytes, source: source), source)
    }
    if let values = bareNumbers(bytes) { return .values(values) }
    return .named(try ExternalScores(bytes: bytes, source: source).units)
  }

  private static func contents(
    of literal: PlainLiteral, _ source: String
  ) throws(PlanFileError) -> Contents {
    switch literal {
    case .table(let members):
      var units: [ScoresDocument.Unit] = []
      for (name, value) in members {
        guard case .number(let gain) = value else {
          throw .invalid(
            "\(source): \"\(name)\" is \(value.kind), but scores by name are numbers, and a scores "
              + "document has \"format\": \"\(ScoresDocument.format)\"; see docs/formats.md")
        }
        units.append(unit(name, gain))
      }
      return .named(units)
    case .list(let elements):
      if case .table? = elements.first { return .named(try records(elements, source)) }
      var values: [Double] = []
      for (index, element) in elements.enumerated() {
        guard case .number(let value) = element else {
          throw .invalid("\(source): value \(index) is \(element.kind), but a score is a number")
        }
        values.append(value)
      }
      return .values(values)
    default: throw .invalid("\(source): is \(literal.kind), but scores are a list or an object")
    }
  }

  /// `[{"name": …, "gain": …, "parameters": …}]`.
  private static func records(
    _ elements: [PlainLiteral], _ source: String
  ) throws(PlanFileError) -> [ScoresDocument.Unit] {
    var units: [ScoresDocument.Unit] = []
    for (index, element) in elements.enumerated() {
      guard case .table(let members) = element else {
        throw .invalid("\(source): element \(index) is \(element.kind), but the others are objects")
      }
      func field(_ name: String) throws(PlanFileError) -> PlainLiteral? {
        let found = members.filter { $0.name == name }
        guard found.count < 2 else {
          throw .invalid("\(source): element \(index) has \"\(name)\" twice")
        }
        return found.first?.value
      }
      guard case .text(let name)? = try field("name"), case .number(let gain)? = try field("gain")
      else {
        throw .invalid(
          "\(source): element \(index) needs \"name\", a text, and \"gain\", a number")
      }
      var parameters = 0
      if let given = try field("parameters") {
        guard case .number(let number) = given, let whole = Int(exactly: number), whole >= 0 else {
          throw .invalid(
            "\(source): \"parameters\" of \"\(name)\" is \(given.kind), but must be a whole number of "
              + "weights")
        }
        parameters = whole
      }
      units.append(unit(name, gain, parameters: parameters))
    }
    return units
  }

  /// The numbers of a text that holds nothing else, with commas or white space between them.
  private static func bareNumbers(_ bytes: [UInt8]) -> [Double]? {
    let tokens = bytes.split { ", \n\r\t".utf8.contains($0) }
    guard let first = tokens.first?.first, "+-.0123456789".utf8.contains(first) else { return nil }
    var values: [Double] = []
    for token in tokens {
      guard let value = PlainNumber.value(of: String(decoding: token, as: UTF8.self)) else {
        return nil
      }
      values.append(value)
    }
    return values
  }

  private static func unit(
    _ name: String, _ gain: Double, parameters: Int = 0
  ) -> ScoresDocument.Unit {
    ScoresDocument.Unit(
      name: name, modules: [], parameters: parameters, gain: gain, gradientNormSquared: nil,
      quality: nil, modulesDetail: [])
  }
}
