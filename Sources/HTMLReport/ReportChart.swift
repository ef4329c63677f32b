internal import PlanFiles

/// The charts of a report, in its order.
public enum ReportChart: String, CaseIterable, Sendable {
  case allocation, gains, bounds, price, search, ranks, placement

  func title(_ program: PlanDocument.Program) -> String {
    switch self {
    case .allocation: program == .pruning ? "What every unit loses" : "What every unit gets"
    case .gains: "What every unit could still gain"
    case .bounds: "Bounds that hold a unit back"
    case .price: "Demand against the price"
    case .search: "How the price was found"
    case .ranks: "Who did the work"
    case .placement: "Where the slots lie"
    }
  }

  public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
