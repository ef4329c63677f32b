/// Plans for many budgets or sparsities of the same units.
///
/// `layerbudget.sweep/1`; the fields are listed in docs/formats.md. Every point has the bits of a plan
/// made alone.
public struct SweepDocument: Codable, Sendable, Equatable {
  public static let format = "layerbudget.sweep/1"

  public var format = SweepDocument.format
  public var program: PlanDocument.Program
  /// Options that all points share, as resolved.
  public var parameters: [String: ParameterValue]
  public var points: [Point]
  public var units: [Unit]
  public var inputs: [String: InputFingerprint]
  public var notes: [String]

  public init(
    program: PlanDocument.Program, parameters: [String: ParameterValue], points: [Point],
    units: [Unit], inputs: [String: InputFingerprint], notes: [String]
  ) {
    self.program = program
    self.parameters = parameters
    self.points = points
    self.units = units
    self.inputs = inputs
    self.notes = notes
  }

  /// One budget or sparsity, with the totals of its plan.
  public struct Point: Codable, Sendable, Equatable {
    /// B, or S as a number of weights.
    public var budget: Double
    /// Pruning: as asked for.
    public var sparsity: Double?
    public var price: Double
    /// γ as used; capacity only.
    public var gamma: Double?
    public var spent: Double
    public var spentInteger: Double?
    public var primal: Double
    public var gap: Double
    public var kktResidual: Double
    public var integralityGap: Double?

    enum CodingKeys: String, CodingKey {
      case budget, sparsity, price, gamma, spent, primal, gap
      case spentInteger = "spent_integer"
      case kktResidual = "kkt_residual"
      case integralityGap = "integrality_gap"
    }

    public init(
      budget: Double, sparsity: Double?, price: Double, gamma: Double?, spent: Double,
      spentInteger: Double?, certificate: PlanDocument.Certificate
    ) {
      self.budget = budget
      self.sparsity = sparsity
      self.price = price
      self.gamma = gamma
      self.spent = spent
      self.spentInteger = spentInteger
      primal = certificate.primal
      gap = certificate.gap
      kktResidual = certificate.kktResidual
      integralityGap = certificate.integralityGap
    }
  }

  /// One unit's answers, in the order of the points.
  public struct Unit: Codable, Sendable, Equatable {
    public var name: String
    public var quality: Double
    public var lower: Double
    /// Infinite where there is no bound; `null` in the file.
    public var upper: Double?
    public var cost: Double?
    public var weights: Int?
    public var continuous: [Double]
    public var integer: [Int]?
    /// N:M pruning: `j:M`.
    public var pattern: [String]?

    public init(
      name: String, quality: Double, lower: Double, upper: Double, cost: Double?, weights: Int?,
      continuous: [Double], integer: [Int]?
    ) {
      self.name = name
      self.quality = quality
      self.lower = lower
      self.upper = upper.isFinite ? upper : nil
      self.cost = cost
      self.weights = weights
      self.continuous = continuous
      self.integer = integer
    }
  }

  /// A row per unit and point: `name,budget,price,continuous[,integer]`.
  public var csv: String {
    let hasIntegers = units.contains { $0.integer != nil }
    var rows = ["name,budget,price,continuous" + (hasIntegers ? ",integer" : "")]
    for unit in units {
      let name =
        unit.name.contains { ",\"\n\r".contains($0) }
        ? "\""
          + unit.name.split(separator: "\"", omittingEmptySubsequences: false)
          .joined(separator: "\"\"") + "\"" : unit.name
      for (index, point) in points.enumerated() {
        var row = "\(name),\(point.sparsity ?? point.budget),\(point.price),"
        row += "\(unit.continuous[index])"
        if let integer = unit.integer { row += ",\(integer[index])" }
        rows.append(row)
      }
    }
    return rows.joined(separator: "\n") + "\n"
  }
}
