public import Allocation
public import ArgumentParser
public import Curvature
public import Exports
public import HTMLReport
public import Pruning
public import Workflow

// How our choices are spelled on the command line: by their raw values.
extension ReportChart: ExpressibleByArgument {}
extension CurvatureKind: ExpressibleByArgument {}
extension GainRule: ExpressibleByArgument {}
extension LargeFactorRule: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
extension QualityRule.Normalization: ExpressibleByArgument {}
extension PriceSearch.Method: ExpressibleByArgument {}
extension CapacityProgram.AlphaPer: ExpressibleByArgument {}
extension CapacityProgram.Spend: ExpressibleByArgument {}
extension PruningCurve: ExpressibleByArgument {}
extension QualitySource: ExpressibleByArgument {}
extension PruningProgram.Psi: ExpressibleByArgument {}
extension PruningProgram.Damage: ExpressibleByArgument {}
extension PruningMethod: ExpressibleByArgument {}
extension ApplyRequest.Within: ExpressibleByArgument {}
extension ExportFormat: ExpressibleByArgument {}
extension CompressorRecipe.Modifier: ExpressibleByArgument {}
extension CapacityKind: ExpressibleByArgument {}

extension CapacityUtility {
  /// Says what is wrong with an exponent, which a failed conformance could not.
  static func ofArgument(_ text: String) throws -> CapacityUtility {
    do throws(Failure) {
      return try CapacityUtility(text)
    } catch {
      throw ValidationError(error.message)
    }
  }
}

extension Damping: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
  public var defaultValueDescription: String { description }
}

extension TokensPerSample: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
  public var defaultValueDescription: String { description }
}

extension CaseIterable where Self: RawRepresentable, RawValue == String {
  /// `one, two or three`, for help texts.
  static var names: String {
    let names = allCases.map(\.rawValue)
    return names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
  }
}
