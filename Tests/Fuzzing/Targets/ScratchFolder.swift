internal import Foundation

/// A folder of this process in memory, where inputs become files.
enum ScratchFolder {
  static let path: String = {
    let parent =
      FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    let path = "\(parent)/layerbudget-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      fatalError("\(path): \(error)")
    }
    return path
  }()

  /// Writes a file of the folder and returns its path.
  static func write(_ bytes: [UInt8], as name: String) -> String {
    let file = "\(path)/\(name)"
    do { try Data(bytes).write(to: URL(filePath: file)) } catch { fatalError("\(file): \(error)") }
    return file
  }
}
