internal import COpenBLAS

/// What becomes of memory that matrices no longer use.
public enum FreedMemory {
  /// From now on blocks of 128 KiB and more go back to the system when they are freed. For the start of a
  /// program.
  ///
  /// Left alone, glibc raises that limit to the size of the largest block freed so far, up to 32 MiB, and
  /// keeps smaller ones on its heap. There, before version 2.38, an aligned block that was freed does
  /// not serve an equal request again, because the search asks for room to align it: a process that
  /// scores one module after another grew by every matrix it had ever held (docs/performance.md).
  public static func goesBackAtOnce() {
    _ = mallopt(M_MMAP_THRESHOLD, 128 << 10)
  }
}
