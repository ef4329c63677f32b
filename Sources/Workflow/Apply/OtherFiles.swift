internal import Checkpoints
internal import FoundationEssentials
internal import PlanFiles
internal import TensorFiles

/// What a checkpoint's folder holds beside its weights: configuration, tokenizer, licence.
extension OutputFolder {
  /// Endings of files that hold the weights once more, unpruned: a loader could prefer them.
  private static let otherWeights = [
    ".safetensors", ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx", ".ckpt",
    ".bin.index.json", ".msgpack.index.json", ".h5.index.json",
  ]

  /// Copies every other file, links as what they lead to; hidden folders are left out, and so are
  /// weights in other files, which a note names.
  func copyOtherFiles(
    from checkpoint: Checkpoint
  ) throws(Failure) -> (files: [ApplyDocument.File], notes: [String]) {
    let weights = Set(checkpoint.tensors.files.map(\.name))
    let all: [String]
    do { all = try Self.files(in: checkpoint.path, under: "", depth: 8) } catch {
      throw Failure(.missingInput, "\(checkpoint.path): cannot be listed: \(error)")
    }
    var files: [ApplyDocument.File] = []
    var left: [String] = []
    for file in all where !weights.contains(file) && file != ApplyDocument.fileName {
      guard !Self.otherWeights.contains(where: file.hasSuffix) else {
        left.append(file)
        continue
      }
      let input = try InputFile(path: "\(checkpoint.path)/\(file)")
      do {
        try FileManager.default.createDirectory(
          atPath: DurableFolder.parent(of: "\(partial)/\(file)"), withIntermediateDirectories: true)
        try DurableFile.write(input.bytes, to: "\(partial)/\(file)")
      } catch {
        throw Failure(.cannotWrite, "\(partial)/\(file): \(error)")
      }
      files.append(
        ApplyDocument.File(
          name: file, bytes: input.bytes.count, contents: input.checksum.hexadecimal))
    }
    guard !left.isEmpty else { return (files, []) }
    let shown = left.prefix(5).joined(separator: ", ") + (left.count > 5 ? ", ..." : "")
    return (
      files,
      ["left out \(left.count) file\(left.count == 1 ? "" : "s") with unpruned weights: \(shown)"]
    )
  }

  /// Paths of all files relative to `root`, sorted.
  private static func files(in root: String, under prefix: String, depth: Int) throws -> [String] {
    guard depth > 0 else { return [] }
    var found: [String] = []
    let folder = prefix.isEmpty ? root : "\(root)/\(prefix)"
    for entry in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      let path = prefix.isEmpty ? entry : "\(prefix)/\(entry)"
      if try FolderListing.isFolder("\(root)/\(path)") {
        if !entry.hasPrefix(".") { found += try files(in: root, under: path, depth: depth - 1) }
      } else {
        found.append(path)
      }
    }
    return found
  }
}
