internal import FoundationEssentials
internal import TensorFiles

/// A small input that every rank reads whole: scores, bounds, costs.
struct InputFile {
  let path: String
  let bytes: [UInt8]

  init(path: String) throws(Failure) {
    do {
      bytes = Array(try Data(contentsOf: URL(filePath: path)))
    } catch {
      let exists = FileManager.default.fileExists(atPath: path)
      throw Failure(
        .missingInput,
        "\(path): \(exists ? "cannot be read" : "is not there"); check the path and its permissions"
      )
    }
    self.path = path
  }

  /// XXH64 of the contents.
  var checksum: UInt64 { XXHash64.hash(bytes) }
}

extension UInt64 {
  /// 16 hexadecimal digits.
  var hexadecimal: String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
