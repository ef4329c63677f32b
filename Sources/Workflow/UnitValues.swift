internal import Collectives
internal import Curvature
internal import PlanFiles
internal import TensorFiles

/// Bounds of every unit, from options and tables.
public struct BoundsRequest: Sendable {
  public var minimum = 0.0
  public var maximum: Double
  /// CSV `name,lower,upper`; overrides minimum and maximum where it says something.
  public var table: String?
  /// `REGEX=VALUE`: both bounds of the units whose name matches. The last match wins.
  public var fixed: [String] = []

  public init(maximum: Double) {
    self.maximum = maximum
  }
}

/// Cost of one unit of capacity.
public enum CostRequest: Sendable, Equatable {
  case uniform(Double)
  /// The unit's parameter count.
  case parameters
  /// CSV `name,cost`.
  case table(String)
}

/// Bounds and costs as read, ready to be asked for one unit after another.
struct UnitValues {
  private struct Fix {
    let text: String
    let pattern: Regex<AnyRegexOutput>
    let value: Double
  }
  private let request: BoundsRequest
  private let bounds: UnitBounds?
  private let fixes: [Fix]
  private let cost: CostRequest
  private let costs: UnitNumbers?
  /// Tables that were read, to be named in the plan.
  private(set) var inputs: [String: InputFingerprint] = [:]

  init(bounds request: BoundsRequest, cost: CostRequest) throws(Failure) {
    self.request = request
    self.cost = cost
    var inputs: [String: InputFingerprint] = [:]
    func table(_ path: String, as name: String) throws(Failure) -> InputFile {
      let file = try InputFile(path: path)
      inputs[name] = InputFingerprint(
        bytes: file.bytes.count, headers: nil, contents: file.checksum.hexadecimal)
      return file
    }
    do throws(PlanFileError) {
      if let path = request.table {
        let file: InputFile
        do { file = try table(path, as: "bounds") } catch { throw .missing(error.message) }
        bounds = try UnitBounds(bytes: file.bytes, source: path)
      } else {
        bounds = nil
      }
      if case .table(let path) = cost {
        let file: InputFile
        do { file = try table(path, as: "costs") } catch { throw .missing(error.message) }
        costs = try UnitNumbers(bytes: file.bytes, source: path, column: "cost")
      } else {
        costs = nil
      }
    } catch {
      throw Failure(error)
    }
    var fixes: [Fix] = []
    for text in request.fixed { fixes.append(try Self.fix(text)) }
    self.fixes = fixes
    self.inputs = inputs
  }

  /// The options as resolved, for the output; tables are named by their fingerprints among the inputs.
  var asParameters: [String: ParameterValue] {
    var parameters: [String: ParameterValue] = [
      "min": .number(request.minimum),
      "max": request.maximum.isFinite ? .number(request.maximum) : .text("inf"),
      "fix": .text(request.fixed.joined(separator: " ")),
    ]
    switch cost {
    case .uniform(let cost): parameters["cost"] = .number(cost)
    case .parameters: parameters["cost"] = .text("parameters")
    case .table: parameters["cost"] = .text("table")
    }
    return parameters
  }

  /// Changes when any table that was read changes.
  var checksum: UInt64 {
    inputs.sorted { $0.key < $1.key }.reduce(0) { sum, input in
      XXHash64.hash(Array("\(sum) \(input.key) \(input.value.contents)".utf8))
    }
  }

  /// Refuses tables that name units which do not exist: most likely a mistyped name.
  func requireKnown(_ names: Set<String>) throws(Failure) {
    let tables: [(String, [String])] = [
      (bounds?.source ?? "", bounds.map { Array($0.values.keys) } ?? []),
      (costs?.source ?? "", costs.map { Array($0.values.keys) } ?? []),
    ]
    for (source, listed) in tables {
      guard let unknown = listed.filter({ !names.contains($0) }).min() else { continue }
      let nearest = NearestName.of(unknown, in: names)
      throw Failure(
        .badData,
        "\(source): there is no unit \"\(unknown)\"; "
          + (nearest.map { "did you mean \"\($0)\"?" }
            ?? "see the unit names with layerbudget inspect"))
    }
  }

  func bounds(of name: String) -> (lower: Double, upper: Double) {
    if let fix = fixes.last(where: { name.contains($0.pattern) }) { return (fix.value, fix.value) }
    let own = bounds?.values[name]
    return (own?.lower ?? request.minimum, own?.upper ?? request.maximum)
  }

  func cost(of unit: ScoresDocument.Unit) throws(Failure) -> Double {
    switch cost {
    case .uniform(let cost):
      return cost
    case .parameters:
      guard unit.parameters > 0 else {
        throw Failure(
          .badData,
          "unit \"\(unit.name)\" has no parameter count, which --cost parameters needs; add a "
            + "parameters column to the scores")
      }
      return Double(unit.parameters)
    case .table(let path):
      guard let cost = costs?.values[unit.name] else {
        throw Failure(
          .badData, "\(path): has no cost for unit \"\(unit.name)\"; every unit needs one")
      }
      return cost
    }
  }

  private static func fix(_ text: String) throws(Failure) -> Fix {
    guard let equals = text.lastIndex(of: "="),
      let value = Double(text[text.index(after: equals)...]), value.isFinite, value >= 0
    else {
      throw Failure(
        .usage,
        "--fix \(text): must be REGEX=VALUE with a value of 0 or more, such as "
          + "'layers\\.0=4'")
    }
    do {
      return Fix(text: text, pattern: try Regex(String(text[..<equals])), value: value)
    } catch {
      throw Failure(.usage, "--fix \(text): the part before = is not a regular expression")
    }
  }
}

extension UnitValues {
  /// Refuses tables with names that no unit of any rank has. Collective.
  func requireKnownUnits(
    _ gains: SlicedGains, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    guard !inputs.isEmpty else { return }
    try requireSameInput(checksum, what: "the tables of bounds and costs", over: world)
    let names = gains.units.map { IndexedUnit(index: $0.index, unit: $0.unit.name) }
    let all = Set(try gatherUnits(names, over: world))
    try agreed(over: world) { () throws(Failure) in
      if world.rank == 0 { try requireKnown(all) }
    }
  }
}
