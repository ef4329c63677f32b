internal import FoundationEssentials

/// JSON with sorted keys and shortest round-trip numbers: equal documents have equal bytes.
public enum DocumentCoding {
  /// The bytes of a document, ending in a line feed.
  /// - Precondition: every number in the document is finite.
  public static func encode(_ document: some Encodable) throws(PlanFileError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return Array(try encoder.encode(document)) + [UInt8(ascii: "\n")]
    } catch {
      throw .unwritable("the document cannot be written as JSON: \(error)")
    }
  }

  /// A document on one line, without the line feed.
  public static func encodeLine(_ document: some Encodable) throws(PlanFileError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return Array(try encoder.encode(document))
    } catch {
      throw .unwritable("the document cannot be written as JSON: \(error)")
    }
  }

  /// Reads a document; `source` names it in errors.
  public static func decode<Document: Decodable>(
    _ type: Document.Type, from bytes: [UInt8], source: String
  ) throws(PlanFileError) -> Document {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch let error as DecodingError {
      throw .invalid("\(source): \(explain(error)); see docs/formats.md")
    } catch {
      throw .invalid("\(source): is not valid JSON (\(error)); see docs/formats.md")
    }
  }

  /// The `format` string of a JSON file, or nil if it has none.
  public static func format(of bytes: [UInt8]) -> String? {
    struct Probe: Decodable { let format: String }
    return (try? JSONDecoder().decode(Probe.self, from: Data(bytes)))?.format
  }

  private static func explain(_ error: DecodingError) -> String {
    func place(_ path: [any CodingKey]) -> String {
      path.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }.joined()
    }
    switch error {
    case .keyNotFound(let key, let context):
      return "\(place(context.codingPath)) has no \"\(key.stringValue)\""
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return "\(place(context.codingPath)) is not of type \(type)"
    case .dataCorrupted(let context):
      return "\(place(context.codingPath)) \(context.debugDescription)"
    @unknown default:
      return "\(error)"
    }
  }
}
