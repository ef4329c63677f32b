/// What a JSON document holds, whatever its format: for comparing two documents field by field.
public indirect enum DocumentTree: Decodable, Sendable, Equatable {
  case null
  case flag(Bool)
  case number(Double)
  case text(String)
  case list([DocumentTree])
  case fields([String: DocumentTree])

  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let flag = try? value.decode(Bool.self) {
      self = .flag(flag)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let list = try? value.decode([DocumentTree].self) {
      self = .list(list)
    } else {
      self = .fields(try value.decode([String: DocumentTree].self))
    }
  }

  /// A place where two documents say different things; nil where one of them says nothing.
  public struct Difference: Sendable, Equatable {
    /// From the root: names of fields, positions in lists.
    public let place: [String]
    public let stored: DocumentTree?
    public let found: DocumentTree?
  }

  /// Every place that differs, fields in alphabetical order.
  ///
  /// Elements of lists that have a `name` are placed by it.
  public func differences(from found: DocumentTree) -> [Difference] {
    Self.differences(self, found, at: [])
  }

  private static func differences(
    _ stored: DocumentTree?, _ found: DocumentTree?, at place: [String]
  ) -> [Difference] {
    guard stored != found else { return [] }
    switch (stored, found) {
    case (.fields(let old)?, .fields(let new)?):
      return Set(old.keys).union(new.keys).sorted().flatMap {
        differences(old[$0], new[$0], at: place + [$0])
      }
    case (.list(let old)?, .list(let new)?) where old.count == new.count:
      return old.indices.flatMap { index in
        differences(
          old[index], new[index], at: place + [old[index].name ?? "\(index)"])
      }
    default: return [Difference(place: place, stored: stored, found: found)]
    }
  }

  private var name: String? {
    guard case .fields(let fields) = self, case .text(let name)? = fields["name"] else {
      return nil
    }
    return name
  }
}

extension DocumentTree: CustomStringConvertible {
  /// Short, for messages: long lists and objects are counted only.
  public var description: String {
    switch self {
    case .null: "null"
    case .flag(let flag): "\(flag)"
    case .number(let number): "\(number)"
    case .text(let text): "\"\(text)\""
    case .list(let list) where list.count <= 3:
      "[\(list.map(\.description).joined(separator: ", "))]"
    case .list(let list): "a list of \(list.count)"
    case .fields(let fields): "an object of \(fields.count) fields"
    }
  }
}
