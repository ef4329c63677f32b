internal import Allocation

/// What capacity is worth to a unit.
public enum CapacityUtility: Sendable, Equatable, CustomStringConvertible {
  /// γ q^β log(s + x).
  case log
  /// γ q^β (s + x)^θ/θ, 1e-6 ≤ θ < 1.
  case power(Double)
  /// Ranks: the loss that each takes away, from the singular values of the whitened gradient.
  case spectrum

  /// - Throws: `usage` for anything but `log`, `power:θ` and `spectrum`.
  public init(_ text: String) throws(Failure) {
    switch text {
    case "log": self = .log
    case "spectrum": self = .spectrum
    default:
      guard text.hasPrefix("power:"), let theta = Double(text.dropFirst(6)), theta >= 1e-6,
        theta < 1
      else {
        throw Failure(
          .usage,
          "--utility \(text): must be log, spectrum, or power:θ with θ from 1e-6 to below 1, such as power:0.5"
        )
      }
      self = .power(theta)
    }
  }

  public var description: String {
    switch self {
    case .log: "log"
    case .power(let theta): "power:\(theta)"
    case .spectrum: "spectrum"
    }
  }

  /// The closed form that solves it; nil for spectra, which are measured.
  var closedForm: CapacityProgram.Utility? {
    switch self {
    case .log: .log
    case .power(let theta): .power(theta)
    case .spectrum: nil
    }
  }

  init(_ utility: CapacityProgram.Utility) {
    switch utility {
    case .log: self = .log
    case .power(let theta): self = .power(theta)
    }
  }
}
