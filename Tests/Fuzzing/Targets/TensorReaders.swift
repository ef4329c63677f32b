internal import Checkpoints
internal import Curvature
internal import Foundation
internal import TensorFiles

enum TensorReaders {
  static func readFile(_ bytes: [UInt8]) {
    let path = ScratchFolder.write(bytes, as: "one.safetensors")
    if let file = try? TensorCollection(path: path) {
      var total = 0
      for name in file.names {
        guard let entry = file[name] else { fatalError("\(name) is listed and not there") }
        total += entry.byteCount
        _ = try? file.checksum(of: name)
        if entry.elementType.isFloatingPoint {
          var values = [Float](repeating: 0, count: entry.elementCount)
          var span = values.mutableSpan
          _ = try? file.readFinite(name, into: &span)
        }
      }
      precondition(total <= bytes.count, "tensors of \(total) bytes in \(bytes.count)")
    }
    _ = try? Statistics(path: path)
  }

  /// A shard with one F32 tensor of two elements.
  private static func shard(_ name: String) -> [UInt8] {
    let header = "{\"\(name)\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}"
    let length = UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
      + [UInt8](repeating: 0, count: 8)
  }

  /// Where an index that leaves its folder would find something.
  private static let folder: String = {
    let folder = "\(ScratchFolder.path)/folder"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch { fatalError("\(error)") }
    _ = ScratchFolder.write(shard("a.weight"), as: "folder/model-1.safetensors")
    _ = ScratchFolder.write(shard("b.weight"), as: "folder/model-2.safetensors")
    _ = ScratchFolder.write(shard("outside.weight"), as: "outside.safetensors")
    return folder
  }()

  static func readIndex(_ bytes: [UInt8]) {
    let folder = folder
    _ = ScratchFolder.write(bytes, as: "folder/model.safetensors.index.json")
    for tensors in [
      try? TensorCollection(path: folder), try? TensorCollection(checkpoint: folder),
    ] {
      guard let tensors else { continue }
      precondition(tensors["outside.weight"] == nil, "the index led out of its folder")
      for name in tensors.names { _ = try? tensors.checksum(of: name) }
    }
    _ = try? Checkpoint(path: folder)
  }
}
