internal import FoundationEssentials
internal import Glibc

/// Programs of the system that turn one file into another.
public enum OtherProgram {
  /// Where a program is, looked for in the folders of PATH as a shell does; nil if it is in none.
  public static func path(of name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.lazy.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
  }

  /// Runs a program to its end, with our environment and standard error, and no shell between.
  /// - Parameter path: of the program, with its folder.
  /// - Throws: where it cannot be started or does not end with 0.
  public static func run(_ path: String, _ arguments: [String]) throws(TensorFileError) {
    var process = pid_t()
    let variables = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
    let started = unsafe withTexts([path] + arguments) { words in
      unsafe withTexts(variables) { variables in
        unsafe posix_spawn(&process, path, nil, nil, words, variables)
      }
    }
    guard started == 0 else {
      throw .system(
        .writeFailure, "posix_spawn", started, path: path, advice: "check that it can be run")
    }
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else {
        throw .system(.writeFailure, "waitpid", errno, path: path, advice: "try again")
      }
    }
    guard status == 0 else {
      throw TensorFileError(
        .writeFailure, path: path, "ended with status \(status >> 8), signal \(status & 0x7f)",
        advice: "see what it says above")
    }
  }

  /// Lends texts as C wants argument lists: null-terminated, and so is the list.
  private static func withTexts(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Int32
  ) -> Int32 {
    let words = unsafe texts.map { unsafe strdup($0) }
    defer { for index in unsafe words.indices { unsafe free(words[index]) } }
    return unsafe body(words + [nil])
  }
}
