internal import Glibc

/// Folders that get their names when all that is in them is there.
public enum DurableFolder {
  /// Makes a folder; one that is there already is kept.
  public static func create(_ path: String) throws(TensorFileError) {
    guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else { throw failure("mkdir", path) }
  }

  /// Removes a folder with nothing in it; one that holds something, or is not there, is left.
  public static func removeIfEmpty(_ path: String) { unsafe rmdir(path) }

  /// Gives a finished folder its name, over an empty folder of that name if there is one, and makes
  /// the name durable.
  public static func rename(_ path: String, to name: String) throws(TensorFileError) {
    try sync(path)
    guard unsafe Glibc.rename(path, name) == 0 else { throw failure("rename to \(name)", path) }
    try sync(parent(of: name))
  }

  /// Returns when the folder's entries are on the disk, where the disk can promise that.
  public static func sync(_ path: String) throws(TensorFileError) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw failure("fsync", path)
    }
  }

  /// The folder that a path lies in.
  public static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func failure(_ call: String, _ path: String) -> TensorFileError {
    .system(
      .writeFailure, call, errno, path: path,
      advice: "check that the folder above exists, is writable and has space")
  }
}
