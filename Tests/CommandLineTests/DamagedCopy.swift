import Foundation
import Testing

/// A statistics file with one element turned into NaN.
enum DamagedCopy {
  /// Copies a safetensors file and overwrites the first F32 element of a tensor.
  static func of(_ source: String, at destination: String, key: String) throws {
    var bytes = try contents(source)
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try #require(
      JSONSerialization.jsonObject(with: bytes[8..<8 + length]) as? [String: Any])
    let entry = try #require(header[key] as? [String: Any])
    let offsets = try #require(entry["data_offsets"] as? [Int])
    let start = 8 + length + offsets[0]
    bytes.replaceSubrange(start..<start + 4, with: [0x00, 0x00, 0xC0, 0x7F])
    try bytes.write(to: URL(fileURLWithPath: destination))
  }
}
