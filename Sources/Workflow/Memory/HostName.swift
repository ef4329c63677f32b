internal import Glibc

/// The machine this rank runs on.
enum HostName {
  /// As the kernel has it, for messages and for telling nodes apart.
  static var own: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown host" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
