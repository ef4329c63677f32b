/// What exporting needs of a plan; other scripts may write such a file with no more in it than `format`,
/// `program` and each unit's `name` and answer.
public struct PlanOutline: Decodable, Sendable, Equatable {
  public var format: String
  public var program: PlanDocument.Program
  public var parameters: Parameters?
  /// λ.
  public var price: Double?
  /// B, or S as a number of weights.
  public var budget: Double?
  public var units: [Unit]

  public struct Parameters: Decodable, Sendable, Equatable {
    /// Pruning: the share of all weights that was asked for.
    public var sparsity: Double?
    /// Capacity: what units get, `slots`, `rank` or `bytes`.
    public var unit: String?
  }

  public struct Unit: Decodable, Sendable, Equatable {
    public var name: String
    public var gain: Double?
    public var quality: Double?
    /// Capacity: x. Pruning: ρ.
    public var continuous: Double?
    /// Capacity: whole slots or ranks. Pruning: weights to remove.
    public var integer: Int?
    public var lower: Double?
    public var upper: Double?
    public var cost: Double?
    /// Weights in the unit.
    public var weights: Int?
    public var modules: [String]?
    /// `j:M`.
    public var pattern: String?
    public var atBound: String?

    enum CodingKeys: String, CodingKey {
      case name, gain, quality, continuous, integer, lower, upper, cost, weights, modules, pattern
      case atBound = "at_bound"
    }
  }
}
