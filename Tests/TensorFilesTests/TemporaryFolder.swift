import Foundation
import TensorFiles

/// A folder of its own for one test, removed with everything in it when the test ends.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "TensorFilesTests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  /// Writes raw bytes, valid or not.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String = "hostile.safetensors") throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }

  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}

/// The bytes of a file with this header, as it stands, and `dataBytes` bytes of data.
func rawFile(_ header: String, dataBytes: Int = 0) -> [UInt8] {
  rawFile(Array(header.utf8), dataBytes: dataBytes)
}

func rawFile(_ header: [UInt8], dataBytes: Int = 0) -> [UInt8] {
  TensorFileWriter.bytes(of: [Int64(header.count)]) + header
    + [UInt8](repeating: 7, count: dataBytes)
}

/// The error that `body` must throw.
func failure(_ body: () throws(TensorFileError) -> Void) -> TensorFileError? {
  do throws(TensorFileError) {
    try body()
    return nil
  } catch {
    return error
  }
}

extension TensorCollection {
  /// All elements of a tensor.
  func values<T: DecodedElement>(_ name: String, as type: T.Type) throws -> [T] {
    var values = [T](repeating: 0, count: self[name]?.elementCount ?? 0)
    var span = values.mutableSpan
    try read(name, into: &span)
    return values
  }

  func finiteValues<T: DecodedElement>(
    _ name: String, as type: T.Type
  ) throws(TensorFileError) -> [T] {
    var values = [T](repeating: 0, count: self[name]?.elementCount ?? 0)
    var span = values.mutableSpan
    try readFinite(name, into: &span)
    return values
  }
}

/// The bytes of 16-bit elements, little endian.
func bytes(of bits: [UInt16]) -> [UInt8] {
  bits.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
}
