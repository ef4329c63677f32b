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

  /// Whether standard output is a terminal, and so may carry colour.
  static var outputIsTerminal: Bool { isatty(1) == 1 }

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
