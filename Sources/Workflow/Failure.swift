public import Allocation
public import Checkpoints
public import Curvature
public import Placement
public import PlanFiles
public import TensorFiles

/// The exit codes of every command (docs/exit-codes.md); scripts rely on the numbers.
public enum ExitCode: Int32, Sendable, CaseIterable {
  case good = 0
  /// A fault of ours.
  case internalFault = 1
  /// transfer: the plan does not hold on the target, plan again.
  case replan = 3
  case usage = 64
  case badData = 65
  case missingInput = 66
  /// No plan meets the budget, or a program that the command takes is not there.
  case infeasible = 69
  case cannotWrite = 73
  /// Stopped in a way that a second run can resume.
  case interrupted = 75
  /// The ranks, their hosts or the launcher do not fit together.
  case misconfigured = 78
}

/// Why a command ends without its result: one message and one exit code, the same on every rank.
public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
  public let code: ExitCode
  public let message: String

  /// Control characters of the message, which come out of a damaged input, are escaped: the message
  /// is one line, and no terminal obeys it.
  public init(_ code: ExitCode, _ message: String) {
    self.code = code
    self.message = Self.oneLine(message)
  }

  /// Several findings, each a line of its own that names the tool.
  init(_ code: ExitCode, findings: [String]) {
    self.code = code
    message = findings.map(Self.oneLine).joined(separator: "\nlayerbudget: ")
  }

  private static func oneLine(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator:
        line += scalar.escaped(asASCII: true)
      default:
        line.unicodeScalars.append(scalar)
      }
    }
    return line
  }

  public var description: String { message }

  /// A table names a unit that does not exist: most likely a mistyped name.
  init(noUnit name: String, in source: String, among names: Set<String>) {
    let nearest = NearestName.of(name, in: names)
    self.init(
      .badData,
      "\(source): there is no unit \"\(name)\"; "
        + (nearest.map { "did you mean \"\($0)\"?" }
          ?? "see the unit names with layerbudget inspect"))
  }

  public init(_ error: TensorFileError) {
    switch error.kind {
    case .missingInput, .readFailure: self.init(.missingInput, "\(error)")
    case .writeFailure: self.init(.cannotWrite, "\(error)")
    case .badData, .noSuchTensor, .wrongElementType, .nonFinite, .beyondSinglePrecision:
      self.init(.badData, "\(error)")
    }
  }

  public init(_ error: CurvatureError) {
    switch error {
    case .file(let error): self.init(error)
    case .statistics, .value: self.init(.badData, "\(error)")
    }
  }

  public init(_ error: CheckpointError) {
    switch error {
    case .file(let error): self.init(error)
    case .mismatch: self.init(.badData, "\(error)")
    }
  }

  /// - Parameter name: that of the unit that the error is about, if it is about one.
  public init(_ error: AllocationError, unit name: String?) {
    let message = error.description(calling: name.map { "\"\($0)\"" })
    switch error {
    case .infeasible: self.init(.infeasible, message)
    case .invalid, .nothingToGain: self.init(.badData, message)
    }
  }

  public init(_ error: PlacementError) {
    switch error {
    case .infeasible: self.init(.infeasible, "\(error)")
    case .invalid: self.init(.badData, "\(error)")
    }
  }

  public init(_ error: PlanFileError) {
    switch error {
    case .missing: self.init(.missingInput, "\(error)")
    case .invalid: self.init(.badData, "\(error)")
    case .unwritable: self.init(.cannotWrite, "\(error)")
    }
  }
}
