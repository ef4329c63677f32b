internal import Glibc

/// The C library's text for an errno value, as in `No space left on device`.
func systemErrorText(_ code: Int32) -> String {
  var text = [CChar](repeating: 0, count: 256)
  // The POSIX strerror_r writes into our buffer, so that two threads cannot share one.
  guard unsafe strerror_r(code, &text, text.count) == 0 else { return "unknown error" }
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
