internal import Checkpoints
internal import FoundationEssentials
internal import PlanFiles
internal import TensorFiles

/// The folder that an apply writes: `<name>.partial` and `<name>.journal` while at work, then `<name>`.
struct OutputFolder {
  let name: String

  init(_ path: String) {
    var name = path
    while name.count > 1, name.hasSuffix("/") { name.removeLast() }
    self.name = name
  }

  var partial: String { "\(name).partial" }
  var journal: String { "\(name).journal" }
  private var keyFile: String { "\(journal)/key" }

  /// Refuses a name that is taken, that nothing can be written beside, or that lies in the checkpoint.
  func requireFree(besides checkpoint: String) throws(Failure) {
    let manager = FileManager.default
    var isFolder = false
    if manager.fileExists(atPath: name, isDirectory: &isFolder) {
      let entries = isFolder ? (try? manager.contentsOfDirectory(atPath: name)) ?? [] : [name]
      guard entries.isEmpty else {
        throw Failure(
          .cannotWrite,
          "\(name): exists already and is \(isFolder ? "not empty" : "a file"); remove it or give "
            + "another name with -o")
      }
    }
    let (own, other) = (Self.absolute(name), Self.absolute(checkpoint))
    guard own != other, !own.hasPrefix(other + "/") else {
      throw Failure(
        .cannotWrite, "\(name): lies in the checkpoint \(checkpoint); give a folder outside of it")
    }
    do throws(TensorFileError) { try DurableFile.requireWritable(partial + ".json") } catch {
      throw Failure(error)
    }
  }

  /// Files of their final sizes with the checkpoint's headers; what an earlier run with the same basis
  /// left there is kept if it is to be resumed, everything else of earlier runs is removed.
  ///
  /// - Returns: a sentence on what was removed because it was made otherwise.
  func prepare(
    like checkpoint: Checkpoint, basis: JournalBasis, resumes: Bool
  ) throws(Failure) -> String? {
    var note: String?
    do {
      let manager = FileManager.default
      let earlier = (try? Data(contentsOf: URL(filePath: keyFile))).flatMap {
        try? DocumentCoding.decode(JournalBasis.self, from: Array($0), source: keyFile)
      }
      if earlier != basis || !resumes {
        for path in [journal, partial] where manager.fileExists(atPath: path) {
          try manager.removeItem(atPath: path)
        }
        note = earlier.flatMap { basis.difference(from: $0) }.map {
          "\(partial): what an earlier run wrote is done again: \($0)"
        }
      }
      try DurableFolder.create(partial)
      try requireSpace(for: checkpoint)
      for (index, file) in checkpoint.tensors.files.enumerated() {
        let path = "\(partial)/\(file.name)"
        try PositionedFile.create(path: path, byteCount: file.byteCount)
        let written = try PositionedFile(path: path)
        try checkpoint.tensors.forEachPiece(ofFile: index, 0..<file.headerByteCount) {
          (offset: Int, bytes: RawSpan) throws(TensorFileError) in
          try written.write(bytes, at: offset)
        }
      }
      try DurableFolder.create(journal)
      try DurableFile.write(try DocumentCoding.encode(basis), to: keyFile)
      return note
    } catch let error as TensorFileError {
      throw Failure(error)
    } catch let error as Failure {
      throw error
    } catch {
      throw Failure(.cannotWrite, "\(name): what an earlier run left cannot be removed: \(error)")
    }
  }

  /// Refuses a disk that has no room for what an earlier run has not reserved yet.
  private func requireSpace(for checkpoint: Checkpoint) throws(Failure) {
    let missing = checkpoint.tensors.files.reduce(0) { total, file in
      let size = DiskSpace.size(of: "\(partial)/\(file.name)") ?? 0
      return total + (size == file.byteCount ? 0 : file.byteCount)
    }
    guard let free = DiskSpace.free(at: partial), free < missing else { return }
    throw Failure(
      .cannotWrite,
      "\(name): needs \(NumberText.bytes(missing)), but its disk has \(NumberText.bytes(free)) free; "
        + "make room or choose another disk with -o")
  }

  /// Gives the folder its sidecar and its name, with the run file beside it. The name comes last: whatever
  /// fails before, the same command goes on from there.
  /// - Parameter willStore: called before each file is synced, which may take minutes.
  func finish(
    _ document: ApplyDocument, run: RunDocument, willStore: () -> Void
  ) throws(Failure) {
    do {
      try DurableFile.write(
        try DocumentCoding.encode(document), to: "\(partial)/\(ApplyDocument.fileName)")
      for file in try FolderListing.names(in: partial) where file.hasSuffix(".safetensors") {
        willStore()
        try PositionedFile(path: "\(partial)/\(file)").sync()
      }
      try DurableFile.write(try DocumentCoding.encode(run), to: "\(name).run.json")
      try DurableFolder.rename(partial, to: name)
    } catch let error as TensorFileError {
      throw Failure(error)
    } catch {
      throw Failure(.internalFault, "\(error)")
    }
  }

  /// Without links, `.` and `..`, from the root; of a folder that is not there yet by its parent.
  private static func absolute(_ path: String) -> String {
    let url = URL(filePath: path).standardizedFileURL
    let parent = url.deletingLastPathComponent().resolvingSymlinksInPath()
    let whole = parent.appending(path: url.lastPathComponent).resolvingSymlinksInPath().path
    return whole.count > 1 && whole.hasSuffix("/") ? String(whole.dropLast()) : whole
  }
}
