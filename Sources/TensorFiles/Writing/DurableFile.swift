internal import Glibc

/// Writes whole files so that a reader sees the old contents or the new, never a part.
public enum DurableFile {
  /// Writes under a temporary name in the same folder, syncs, renames, and syncs the folder.
  public static func write(_ bytes: [UInt8], to path: String) throws(TensorFileError) {
    var file = try OutputFile(path: path)
    try file.append(bytes)
    try file.commit()
  }

  /// Refuses a path that `write` would fail on, by making and removing a temporary file beside it.
  public static func requireWritable(_ path: String) throws(TensorFileError) {
    guard !path.isEmpty else {
      throw TensorFileError(
        .writeFailure, path: path, "the name of the output is empty", advice: "give -o a file name")
    }
    _ = try OutputFile(path: path)
    var status = stat()
    guard unsafe stat(path, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else {
      throw TensorFileError(
        .writeFailure, path: path, "is a folder", advice: "give the name of a file in it")
    }
  }

  /// Removes a file; one that is not there is no error.
  public static func remove(_ path: String) { unsafe unlink(path) }
}
