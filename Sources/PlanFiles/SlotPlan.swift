/// What placing a capacity plan needs of it; other scripts may write such a file with no more in it.
public struct SlotPlan: Decodable, Sendable, Equatable {
  public var format: String
  public var program: PlanDocument.Program
  public var units: [Unit]
  public var parameters: [String: ParameterValue]

  public struct Unit: Decodable, Sendable, Equatable {
    public var name: String
    /// Slots; absent in plans without whole numbers.
    public var integer: Int?
    /// Budget per slot.
    public var cost: Double?
  }

  enum CodingKeys: String, CodingKey {
    case format, program, units, parameters
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    format = try fields.decode(String.self, forKey: .format)
    program = try fields.decode(PlanDocument.Program.self, forKey: .program)
    units = try fields.decode([Unit].self, forKey: .units)
    parameters =
      try fields.decodeIfPresent([String: ParameterValue].self, forKey: .parameters) ?? [:]
  }

  public func text(_ parameter: String) -> String? {
    if case .text(let text) = parameters[parameter] { text } else { nil }
  }

  public func number(_ parameter: String) -> Double? {
    if case .number(let number) = parameters[parameter] { number } else { nil }
  }
}
