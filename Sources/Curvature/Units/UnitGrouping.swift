/// How modules are gathered into units, each of which gets one answer.
public enum UnitGrouping: Sendable, Equatable, CustomStringConvertible {
  /// A transformer block: the name up to and including its first number, `model.layers.3`.
  case block
  /// Every module by itself.
  case module
  /// An expert: the name up to and including the number after `experts`; other modules by block.
  case expert
  /// The first capture group of a regular expression found in the name, or the whole match.
  case pattern(String)

  public init(_ text: String) {
    switch text {
    case "block": self = .block
    case "module": self = .module
    case "expert": self = .expert
    default: self = .pattern(text)
    }
  }

  /// As on the command line.
  public var description: String {
    switch self {
    case .block: "block"
    case .module: "module"
    case .expert: "expert"
    case .pattern(let text): text
    }
  }
}

/// Modules that get one answer together; their gains add, as the curvature between them is taken
/// to be zero.
public struct ModuleUnit: Sendable, Equatable {
  public let name: String
  /// In natural order.
  public let modules: [ModuleStatistics]

  public var parameters: Int { modules.reduce(0) { $0 + $1.parameters } }
}

/// Which modules take part and how they are grouped.
public struct UnitSelection: Sendable, Equatable {
  public var grouping: UnitGrouping
  /// Regular expressions found in a module's name.
  public var include: String?
  public var exclude: String?

  public init(grouping: UnitGrouping = .block, include: String? = nil, exclude: String? = nil) {
    self.grouping = grouping
    self.include = include
    self.exclude = exclude
  }

  /// The units in natural order of their names.
  ///
  /// A module that a grouping expression does not match is a unit of its own.
  public func units(of modules: [ModuleStatistics]) throws(CurvatureError) -> [ModuleUnit] {
    let chosen = Set(try chosen(modules.map(\.name)).map(NaturalName.init))
    var pattern: Regex<AnyRegexOutput>?
    if case .pattern(let text) = grouping { pattern = try Self.regex(text) }

    var members: [NaturalName: [ModuleStatistics]] = [:]
    for module in modules where chosen.contains(NaturalName(module.name)) {
      members[NaturalName(unitName(of: module.name, pattern: pattern)), default: []].append(module)
    }
    if let pattern, !members.values.joined().contains(where: { $0.name.contains(pattern) }) {
      throw .statistics(
        "--group-by \(grouping) matches none of \(members.count) modules, the first is "
          + "\(modules.first?.name ?? "none"); "
          + (NearestName.of(grouping.description, in: ["block", "module", "expert"])
            .map { "did you mean \($0)?" }
            ?? "use block, module, expert or an expression such as 'layers\\.(\\d+)'"))
    }
    return members.sorted { $0.key < $1.key }.map { name, modules in
      ModuleUnit(
        name: name.text,
        modules: modules.sorted { NaturalName($0.name) < NaturalName($1.name) })
    }
  }

  /// The names that `include` finds and `exclude` does not, in their order; never none.
  public func chosen(_ names: [String]) throws(CurvatureError) -> [String] {
    let included = try include.map { text throws(CurvatureError) in try Self.regex(text) }
    let excluded = try exclude.map { text throws(CurvatureError) in try Self.regex(text) }
    let chosen = names.filter { name in
      included.map { name.contains($0) } ?? true && !(excluded.map { name.contains($0) } ?? false)
    }
    guard !chosen.isEmpty else {
      throw .statistics(
        "no module is left of \(names.count) after --include \(include ?? "everything") and "
          + "--exclude \(exclude ?? "nothing"); "
          + (include.flatMap { NearestName.of($0.filter { !"\\^$".contains($0) }, in: Set(names)) }
            .map { "did you mean \($0)?" } ?? "the first is \(names.first ?? "none")"))
    }
    return chosen
  }

  /// Names of the modules that the grouping has no place for, so that each became a unit of its own.
  ///
  /// For `block` and `expert` those outside of any numbered block, such as an output head; for an
  /// expression those it does not match. In natural order.
  public func ungrouped(in units: [ModuleUnit]) throws(CurvatureError) -> [String] {
    let names = units.flatMap(\.modules).map(\.name)
    switch grouping {
    case .module: return []
    case .block, .expert:
      return names.filter { !$0.split(separator: ".").contains { Int($0) != nil } }
    case .pattern(let text):
      let pattern = try Self.regex(text)
      return names.filter { !$0.contains(pattern) }
    }
  }

  private static func regex(_ text: String) throws(CurvatureError) -> Regex<AnyRegexOutput> {
    do { return try Regex(text) } catch {
      throw .statistics("\"\(text)\" is not a regular expression: \(error); check its brackets")
    }
  }

  private func unitName(of module: String, pattern: Regex<AnyRegexOutput>?) -> String {
    let parts = module.split(separator: ".", omittingEmptySubsequences: false)
    func prefix(through index: Int) -> String { parts[...index].joined(separator: ".") }
    let firstNumber = parts.firstIndex { Int($0) != nil }
    switch grouping {
    case .module:
      return module
    case .block:
      return firstNumber.map(prefix) ?? module
    case .expert:
      let experts = parts.firstIndex { $0 == "experts" }
      if let experts, experts + 1 < parts.count, Int(parts[experts + 1]) != nil {
        return prefix(through: experts + 1)
      }
      return firstNumber.map(prefix) ?? module
    case .pattern:
      guard let pattern, let match = module.firstMatch(of: pattern) else { return module }
      let captured = match.output.count > 1 ? match.output[1].substring : nil
      return String(captured ?? module[match.range])
    }
  }
}
