internal import Glibc

/// Processor time, which passes only while the system lets a thread run.
enum ProcessorTime {
  /// Seconds of the calling thread so far.
  static var ofThisThread: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
