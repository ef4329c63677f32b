/// What applying a pruning plan needs of it; other scripts may write such a file with no more in it.
public struct RemovalPlan: Decodable, Sendable, Equatable {
  public var format: String
  public var program: PlanDocument.Program
  public var units: [Unit]

  public struct Unit: Decodable, Sendable, Equatable {
    public var name: String
    /// Weights to remove.
    public var integer: Int
    /// Weights in the unit, biases included where the scores counted them.
    public var weights: Int?
    public var modules: [String]?
    /// `j:M`.
    public var pattern: String?
  }
}
