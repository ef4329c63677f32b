internal import Glibc

/// Files whose being there is all they say.
public enum MarkerFile {
  /// Makes an empty file; one that is there already is kept.
  public static func create(_ path: String) throws(TensorFileError) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw .system(
        .writeFailure, "open", errno, path: path, advice: "check that the folder is writable")
    }
    close(descriptor)
  }

  public static func exists(_ path: String) -> Bool {
    unsafe access(path, F_OK) == 0
  }
}
