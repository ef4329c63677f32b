internal import Exports
internal import TensorFiles

/// Where an export goes: a file, or for peft the `adapter_config.json` of a folder.
struct ExportTarget {
  /// The file that is written; `-` for none.
  let path: String
  /// The folder that the file is given in, where the output names a folder.
  private let folder: String?

  init(_ output: String, format: ExportFormat) {
    guard format == .peft, !output.hasSuffix(".json"), output != "-", !output.isEmpty else {
      path = output
      folder = nil
      return
    }
    var name = output
    while name.count > 1, name.hasSuffix("/") { name.removeLast() }
    folder = name
    path = "\(name)/adapter_config.json"
  }

  /// Refuses a place that could not be written, and an adapter that would no longer fit its weights.
  func requireWritable() throws(Failure) {
    guard path != "-" else { return }
    if let folder, let isFolder = try? FolderListing.isFolder(folder) {
      try requireFree(folder, isFolder: isFolder)
    }
    // A folder that is not there yet: the one above must take it.
    let isNew = folder.map { (try? FolderListing.isFolder($0)) == nil } ?? false
    do throws(TensorFileError) {
      try DurableFile.requireWritable(isNew ? folder ?? path : path)
    } catch {
      throw Failure(error)
    }
  }

  private func requireFree(_ folder: String, isFolder: Bool) throws(Failure) {
    guard isFolder else {
      throw Failure(
        .cannotWrite,
        "\(folder): is a file, but peft's configuration lies in a folder; give -o a folder, or a name "
          + "that ends in .json")
    }
    let names: [String]
    do throws(TensorFileError) { names = try FolderListing.names(in: folder) } catch {
      throw Failure(error)
    }
    if let weights = names.first(where: { $0.hasPrefix("adapter_model.") }) {
      throw Failure(
        .cannotWrite,
        "\(folder): holds \(weights), the weights of a trained adapter, which new ranks would not fit; "
          + "give -o another folder")
    }
  }

  func write(_ text: String) throws(Failure) {
    guard path != "-" else { return }
    do throws(TensorFileError) {
      if let folder { try DurableFolder.create(folder) }
      try DurableFile.write(Array(text.utf8), to: path)
    } catch {
      throw Failure(error)
    }
  }
}
