internal import Glibc

/// What the command needs of its process.
enum Process {
  static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

  /// Two seconds, unless a signal ends the process before.
  static func waitToBeEnded() { sleep(2) }

  static func writeToStandardError(_ text: String) {
    write(text, to: 2)
  }

  /// What a user should know and the result does not need.
  static func print(notes: [String]) {
    writeToStandardError(notes.map { "note: \($0)\n" }.joined())
  }

  static func writeToStandardOutput(_ text: String) {
    write(text, to: 1)
  }

  /// Columns and rows of the terminal behind a descriptor, zeros where it does not say; nil where
  /// there is none.
  static func screenSize(of descriptor: Int32) -> (columns: Int, rows: Int)? {
    guard isatty(descriptor) == 1 else { return nil }
    var size = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return (0, 0) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// The same of standard output of the mpirun that is our parent, as it is on its own host.
  static var launcherScreenSize: (columns: Int, rows: Int)? {
    let parent = "/proc/\(getppid())"
    let launchers = ["mpirun", "mpiexec", "orterun", "prterun"]
    guard launchers.contains(firstLine(of: parent + "/comm")) else { return nil }
    // Opened only where it is a terminal: to open a pipe would add a reader to it.
    var status = stat()
    guard unsafe stat(parent + "/fd/1", &status) == 0, status.st_mode & S_IFMT == S_IFCHR else {
      return nil
    }
    let descriptor = unsafe open(parent + "/fd/1", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return screenSize(of: descriptor)
  }

  private static func firstLine(of path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe read(descriptor, buffer.baseAddress, buffer.count)
    }
    let line = bytes.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }
    return String(decoding: line, as: UTF8.self)
  }

  static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  /// Writes all bytes. A reader that has gone away (`| head`) is no reason to fail.
  private static func write(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      done += count
    }
  }
}
