internal import Glibc

/// What a disk still has room for.
public enum DiskSpace {
  /// Bytes that this user may still write to the disk of an existing file or folder; nil where the
  /// system does not say. Quotas are not seen.
  public static func free(at path: String) -> Int? {
    var status = statvfs()
    guard unsafe statvfs(path, &status) == 0 else { return nil }
    let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(
      by: UInt64(status.f_frsize))
    return overflow ? nil : Int(clamping: bytes)
  }

  /// The size of a file, nil if there is none.
  public static func size(of path: String) -> Int? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int(status.st_size) : nil
  }
}
