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
  /// In the place of a table that is not at hand, as a plan holds its numbers.
  var known: UnitBounds?

  public init(maximum: Double) {
    self.maximum = maximum
  }
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
  let costs: UnitCosts
  /// Tables that were read, to be named in the plan.
  private(set) var inputs: [String: InputFingerprint] = [:]

  init(bounds request: BoundsRequest, costs: UnitCosts) throws(Failure) {
    self.request = request
    self.costs = costs
    var inputs = costs.inputs
    if let path = request.table {
      let file = try InputFile(path: path)
      inputs["bounds"] = InputFingerprint(
        bytes: file.bytes.count, headers: nil, contents: file.checksum.hexadecimal)
      do throws(PlanFileError) {
        bounds = try UnitBounds(bytes: file.bytes, source: path)
      } catch {
        throw Failure(error)
      }
    } else {
      bounds = request.known
    }
    var fixes: [Fix] = []
    for text in request.fixed { fixes.append(try Self.fix(text)) }
    self.fixes = fixes
    self.inputs = inputs
  }

  /// The options as resolved, for the output; tables are named by their fingerprints among the inputs.
  var asParameters: [String: ParameterValue] {
    [
      "min": .number(request.minimum),
      "max": request.maximum.isFinite ? .number(request.maximum) : .text("inf"),
      "fix": .text(FixedTexts.joined(request.fixed)), "cost": costs.parameter,
    ]
  }

  /// Changes when any table that was read changes.
  var checksum: UInt64 {
    inputs.sorted { $0.key < $1.key }.reduce(0) { sum, input in
      XXHash64.hash(Array("\(sum) \(input.key) \(input.value.contents)".utf8))
    }
  }

  /// Refuses tables that name units which do not exist, and `--fix` that finds none: most likely a
  /// mistyped name.
  func requireKnown(_ names: Set<String>) throws(Failure) {
    let tables =
      [(bounds?.source ?? "", bounds.map { Array($0.values.keys) } ?? [])] + costs.listed
    for (source, listed) in tables {
      guard let unknown = listed.filter({ !names.contains($0) }).min() else { continue }
      throw Failure(noUnit: unknown, in: source, among: names)
    }
    for fix in fixes where !names.contains(where: { $0.contains(fix.pattern) }) {
      let name = fix.text.prefix(upTo: fix.text.lastIndex(of: "=") ?? fix.text.endIndex)
      throw Failure(
        noUnit: name.filter { !"\\^$".contains($0) }, in: "--fix \(fix.text)", among: names)
    }
  }

  func bounds(of name: String) -> (lower: Double, upper: Double) {
    if let fix = fixes.last(where: { name.contains($0.pattern) }) { return (fix.value, fix.value) }
    let own = bounds?.values[name]
    return (own?.lower ?? request.minimum, own?.upper ?? request.maximum)
  }

  private static func fix(_ text: String) throws(Failure) -> Fix {
    guard !text.contains("\n"), let equals = text.lastIndex(of: "="),
      let value = Double(text[text.index(after: equals)...]), value.isFinite, value >= 0
    else {
      throw Failure(
        .usage,
        "--fix \(text): must be REGEX=VALUE on one line with a value of 0 or more, such as "
          + "'layers\\.0=4'")
    }
    do {
      return Fix(text: text, pattern: try Regex(String(text[..<equals])), value: value)
    } catch {
      throw Failure(.usage, "--fix \(text): the part before = is not a regular expression")
    }
  }
}

/// The texts of `--fix` as one parameter of a plan, from which they can be read back.
enum FixedTexts {
  /// Blanks between them; where one of them holds a blank itself, a line feed after each.
  static func joined(_ texts: [String]) -> String {
    texts.contains { $0.contains(" ") }
      ? texts.map { $0 + "\n" }.joined() : texts.joined(separator: " ")
  }

  static func split(_ text: String) -> [String] {
    text.split(separator: text.hasSuffix("\n") ? "\n" : " ").map(String.init)
  }
}

extension UnitValues {
  /// Refuses tables and `--fix` with names that no unit of any rank has. Collective.
  func requireKnownUnits(
    _ gains: SlicedGains, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    guard !inputs.isEmpty || !fixes.isEmpty else { return }
    try requireSameInput(checksum, what: "the tables of units' numbers", over: world)
    let names = gains.units.map { IndexedUnit(index: $0.index, unit: $0.unit.name) }
    let all = Set(try gatherUnits(names, over: world))
    try agreed(over: world) { () throws(Failure) in
      if world.rank == 0 { try requireKnown(all) }
    }
  }
}
