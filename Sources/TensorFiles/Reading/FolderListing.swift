internal import Glibc

/// The names in one folder, and the question whether a path is a folder.
public enum FolderListing {
  /// Whether `path` is a folder, links followed.
  ///
  /// - Throws: `.missingInput` when nothing is there, also at the end of a link.
  public static func isFolder(_ path: String) throws(TensorFileError) -> Bool {
    guard !path.utf8.contains(0) else {
      throw TensorFileError(
        .missingInput, path: path, "the path contains a null character, no file's can",
        advice: "check the path")
    }
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      let code = errno
      let missing = code == ENOENT || code == ENOTDIR
      throw .system(
        missing ? .missingInput : .readFailure, "stat", code, path: path,
        advice: missing ? "check the path" : "check permissions and the disk")
    }
    return status.st_mode & S_IFMT == S_IFDIR
  }

  /// Names of a folder's entries that are not hidden, sorted bytewise, whatever they are.
  ///
  /// Hidden names are left out because network disks are full of `._model.safetensors`, which are
  /// not what they are called.
  public static func names(in path: String) throws(TensorFileError) -> [String] {
    guard let folder = unsafe opendir(path) else {
      throw .system(.readFailure, "opendir", errno, path: path, advice: "check permissions")
    }
    defer { unsafe closedir(folder) }
    let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name)!
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(folder) else {
        if errno == 0 { break }
        throw .system(.readFailure, "readdir", errno, path: path, advice: "check the disk")
      }
      let start = unsafe UnsafeRawPointer(entry) + nameOffset
      let characters = unsafe start.assumingMemoryBound(to: CChar.self)
      // Repairing is enough: a name that is not UTF-8 is then not found, and that is reported.
      let name = unsafe String(cString: characters)
      if !name.utf8.starts(with: ".".utf8) { names.append(name) }
    }
    return names.sorted(by: precedesBytewise)
  }
}
