public import PlanFiles

/// All that a report says, made by others; lists of units are in the plan's order.
public struct ReportContents: Sendable {
  public var plan: PlanDocument
  /// ‖g‖² of every unit, where scores hold it.
  public var gradientNorms: [Double?]?
  /// How the plan came about.
  public var run: RunDocument?
  public var placement: PlacementDocument?
  public var price: PriceCurve
  /// The files the report was made from.
  public var sources: [Source]
  /// What a reader should know before the charts: files that may not belong together.
  public var remarks: [String]
  public var version: String

  public init(
    plan: PlanDocument, price: PriceCurve, sources: [Source] = [], remarks: [String] = [],
    version: String
  ) {
    self.plan = plan
    self.price = price
    self.sources = sources
    self.remarks = remarks
    self.version = version
  }

  /// A file, by its part in the report: paths are not in it.
  public struct Source: Sendable, Equatable {
    public let role: String
    public let fingerprint: InputFingerprint

    public init(role: String, fingerprint: InputFingerprint) {
      self.role = role
      self.fingerprint = fingerprint
    }
  }

  /// What the plan's own program asks for at other prices.
  public enum PriceCurve: Sendable, Equatable {
    case known(points: [Point], found: Point, axis: Axis)
    /// One sentence on why it cannot be drawn.
    case unknown(String)

    /// A price and the budget that the continuous answers use there.
    public struct Point: Sendable, Equatable {
      public let price: Double
      public let demand: Double

      public init(price: Double, demand: Double) {
        self.price = price
        self.demand = demand
      }
    }

    public enum Axis: String, Sendable {
      /// λ of the capacity program: demand falls.
      case price = "price λ"
      /// μ = b − λ of the pruning program: removed weights rise.
      case drive = "μ = b − λ"
    }
  }
}
