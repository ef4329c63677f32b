public import PlanFiles

/// What other programs read, by its name on the command line.
public enum ExportFormat: String, CaseIterable, Sendable {
  case peft
  case mola
  case deepspeed
  case rho
  case owl
  case compressor = "llm-compressor"
  case evopress
  case csv

  /// The program whose plans the format can say; nil for both.
  public var program: PlanDocument.Program? {
    switch self {
    case .peft, .mola, .deepspeed: .capacity
    case .rho, .owl, .compressor, .evopress: .pruning
    case .csv: nil
    }
  }

  /// Refuses a plan of the other program and names the formats that fit it.
  public func requireFitting(_ program: PlanDocument.Program) throws(ExportError) {
    guard let own = self.program, own != program else { return }
    let fitting = Self.allCases.filter { ($0.program ?? program) == program }.map(\.rawValue)
    throw ExportError(
      "is a plan of the \(program.rawValue) program, but \(rawValue) says \(own.rawValue); such a plan "
        + "fits --to " + fitting.dropLast().joined(separator: ", ") + " or " + (fitting.last ?? ""))
  }
}

/// What differs from one use of a format to the next.
public struct ExportSettings: Sendable, Equatable {
  /// peft: α/r, the same for every module.
  public var alphaPerRank = 2.0
  /// mola: experts a token is sent to, where a layer has that many.
  public var topK = 2
  /// deepspeed: a configuration for inference instead of arguments.
  public var asConfiguration = false
  /// llm-compressor: the modifier.
  public var modifier = CompressorRecipe.Modifier.sparsegpt
  /// evopress: the database that the levels are of.
  public var database: EvoPressDatabase?

  public init() {}
}

/// A plan in another program's words.
public struct Exported: Sendable, Equatable {
  public let text: String
  /// What was written, in a few words.
  public let summary: String
  /// What a reader should know before using it.
  public internal(set) var notes: [String]

  init(text: String, summary: String, notes: [String] = []) {
    self.text = text
    self.summary = summary
    self.notes = notes
  }
}
