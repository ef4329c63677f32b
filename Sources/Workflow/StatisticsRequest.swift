public import Curvature

/// What `score` needs to know, also when it runs inside allocate and prune.
public struct StatisticsRequest: Sendable {
  public var path: String
  public var curvature = CurvatureKind.kfac
  public var damping = Damping.standard
  public var precision = Precision.single
  public var selection = UnitSelection()

  public init(path: String) {
    self.path = path
  }
}

/// Where the gains come from.
public enum GainSource: Sendable {
  /// Computed now from statistics.
  case statistics(StatisticsRequest)
  /// Read from a scores file (JSON or CSV).
  case scores(path: String)
}
