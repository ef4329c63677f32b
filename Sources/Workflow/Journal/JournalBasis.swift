internal import Curvature
internal import TensorFiles

/// What decides the bits of a journal's records, apart from the contents that each names itself.
///
/// The first line of every journal file. Records count only under an equal basis.
struct JournalBasis: Codable, Sendable, Equatable {
  static let format = "layerbudget.journal/1"

  var format = JournalBasis.format
  /// What a record is: `gains` or `modules`.
  let records: String
  let version: String
  /// XXH64 of the executable.
  let build: String
  /// Options as resolved, and by what inputs and BLAS are known.
  let options: [String: String]

  init(records: String, options: [String: String]) {
    self.records = records
    self.options = options
    version = LayerBudgetVersion.current
    build = Self.executable
  }

  /// BLAS decides last bits: its version, kernels and threads.
  static var arithmetic: [String: String] {
    ["blas": ComputeThreads.configuration, "threads": "\(ComputeThreads.current)"]
  }

  /// How an earlier basis differs, with both values; nil if it does not.
  func difference(from earlier: JournalBasis) -> String? {
    guard self != earlier else { return nil }
    var pairs = [
      ("format", earlier.format, format), ("records", earlier.records, records),
      ("version", earlier.version, version),
    ]
    for key in Set(options.keys).union(earlier.options.keys).sorted() {
      pairs.append((key, earlier.options[key] ?? "none", options[key] ?? "none"))
    }
    let different = pairs.filter { $0.1 != $0.2 }
    // Another build says nothing more where the version says it already.
    let shown = different.isEmpty ? [("build", earlier.build, build)] : different
    return shown.map { "\($0) was \($1) and is \($2)" }.joined(separator: ", ")
  }

  /// Once per process; a few milliseconds.
  private static let executable =
    (try? FileHash.whole("/proc/self/exe"))?.hexadecimal ?? "unknown"
}
