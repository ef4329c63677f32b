internal import Foundation

/// A folder of this process, in memory unless TMPDIR says where; inputs become files in it. Gone at exit.
enum ScratchFolder {
  static let path: String = {
    let shared = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : "/tmp"
    let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? shared
    let path = "\(parent)/layerbudget-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      fatalError("\(path): \(error)")
    }
    atexit { try? FileManager.default.removeItem(atPath: ScratchFolder.path) }
    return path
  }()

  /// Writes a file of the folder and returns its path.
  static func write(_ bytes: [UInt8], as name: String) -> String {
    let file = "\(path)/\(name)"
    do { try Data(bytes).write(to: URL(filePath: file)) } catch { fatalError("\(file): \(error)") }
    return file
  }
}
