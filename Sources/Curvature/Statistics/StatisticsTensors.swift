internal import TensorFiles

/// The tensors behind statistics, under their keys `<module>.<quantity>`.
///
/// A key stands for one stored tensor or for the sum of several: the data partitions of a
/// kronfluence run. Those may lie in files that use the same names, which is why there can be more
/// than one collection.
struct StatisticsTensors: Sendable {
  /// Where one tensor, or one summand of it, is stored.
  struct Part: Sendable {
    let collection: Int
    let name: String
    fileprivate var place: ReadContents.Place {
      .init(collection: collection, name: NaturalName(name))
    }
  }

  private let collections: [TensorCollection]
  /// Looked up by bytes: two names that only look alike are two tensors.
  private let parts: [NaturalName: [Part]]
  /// Equal for equal contents, however they are divided over files.
  let headerFingerprint: UInt64
  /// Where checksums are noted while values are read; nil where nobody will ask for them.
  private var contents: ReadContents?

  /// Every tensor of a collection under its own name.
  init(_ collection: TensorCollection) {
    collections = [collection]
    parts = Dictionary(
      uniqueKeysWithValues: collection.names.map {
        (NaturalName($0), [Part(collection: 0, name: $0)])
      })
    headerFingerprint = collection.headerFingerprint
  }

  /// - Precondition: every key has at least one part, and all parts of a key have equal shapes.
  init(_ collections: [TensorCollection], parts: [NaturalName: [Part]]) {
    self.collections = collections
    self.parts = parts
    headerFingerprint = collections.reduce(0) {
      $0 &* 0x9E37_79B9_7F4A_7C15 &+ $1.headerFingerprint
    }
  }

  /// Of headers and a sample of the data; see `TensorCollection.sampledFingerprint`.
  func sampledFingerprint() throws(TensorFileError) -> UInt64 {
    var fingerprint: UInt64 = 0
    for collection in collections {
      fingerprint = fingerprint &* 0x9E37_79B9_7F4A_7C15 &+ (try collection.sampledFingerprint())
    }
    return fingerprint
  }

  var totalByteCount: Int { collections.reduce(0) { $0 + $1.totalByteCount } }
  var keys: [String] { parts.keys.map(\.text) }

  /// Type and shape of a tensor; of its first part where it is a sum.
  subscript(key: String) -> TensorEntry? {
    parts[NaturalName(key)].flatMap { collections[$0[0].collection][$0[0].name] }
  }

  /// Bytes that reading a tensor touches.
  func byteCount(of key: String) -> Int {
    (parts[NaturalName(key)] ?? []).reduce(0) {
      $0 + (collections[$1.collection][$1.name]?.byteCount ?? 0)
    }
  }

  /// The name, without folders, of the file that holds a tensor or its first part.
  func fileName(holding key: String) -> String {
    let first = required(key)[0]
    return collections[first.collection].fileName(holding: first.name)
  }

  /// Decodes a tensor of finite values, row by row; parts are added in their order.
  func readFinite<T: DecodedElement>(
    _ key: String, into destination: inout MutableSpan<T>
  ) throws(TensorFileError) {
    try readFinite(key, elements: 0..<destination.count, into: &destination)
  }

  /// The same of consecutive elements.
  func readFinite<T: DecodedElement>(
    _ key: String, elements range: Range<Int>, into destination: inout MutableSpan<T>
  ) throws(TensorFileError) {
    let parts = required(key)
    try read(parts[0], range, into: &destination)
    guard parts.count > 1 else { return }
    var summand = [T](repeating: 0, count: range.count)
    for part in parts.dropFirst() {
      var span = summand.mutableSpan
      try read(part, range, into: &span)
      for index in 0..<range.count { destination[index] += span[index] }
    }
  }

  private func read<T: DecodedElement>(
    _ part: Part, _ range: Range<Int>, into destination: inout MutableSpan<T>
  ) throws(TensorFileError) {
    let collection = collections[part.collection]
    guard let contents else {
      try collection.readFinite(part.name, elements: range, into: &destination)
      return
    }
    var hash = contents.hash(of: part.place)
    defer { contents.keep(hash, of: part.place) }
    try collection.readFinite(part.name, elements: range, into: &destination, hashing: &hash)
  }

  /// The same tensors, whose checksums are noted while their values are read: ``checksum(of:)`` then
  /// reads only what has not been read whole.
  func notingContents() -> StatisticsTensors {
    var noting = self
    noting.contents = ReadContents()
    return noting
  }

  /// Lets the system begin to read a tensor; see `TensorCollection.willRead`.
  func willRead(_ key: String) {
    for part in required(key) {
      let collection = collections[part.collection]
      guard let entry = collection[part.name] else { continue }
      collection.willRead(part.name, elements: 0..<entry.elementCount)
    }
  }

  /// The diagonal of a square tensor of finite values, without the rest of it.
  func readFiniteDiagonal(_ key: String) throws(TensorFileError) -> [Double] {
    var sum: [Double] = []
    for part in required(key) {
      let diagonal = try collections[part.collection].readFiniteDiagonal(part.name)
      sum = sum.isEmpty ? diagonal : zip(sum, diagonal).map { $0 + $1 }
    }
    return sum
  }

  /// The integers of a tensor; parts are added.
  func readIntegers(_ key: String) throws(TensorFileError) -> [Int64] {
    var sum: [Int64] = []
    for part in required(key) {
      let integers = try collections[part.collection].readIntegers(part.name)
      sum = sum.isEmpty ? integers : zip(sum, integers).map { $0 &+ $1 }
    }
    return sum
  }

  /// Checksum of a tensor's bytes as stored, its parts in their order.
  func checksum(of key: String) throws(TensorFileError) -> UInt64 {
    var sum: UInt64 = 0
    for part in required(key) {
      sum = sum &* 0x0000_0100_0000_01B3 ^ (try checksum(of: part))
    }
    return sum
  }

  private func checksum(of part: Part) throws(TensorFileError) -> UInt64 {
    let collection = collections[part.collection]
    if let hash = contents?.hash(of: part.place), let entry = collection[part.name],
      let noted = hash.digest(ofElements: entry.elementCount)
    {
      return noted
    }
    return try collection.checksum(of: part.name)
  }

  private func required(_ key: String) -> [Part] {
    guard let found = parts[NaturalName(key)] else { preconditionFailure("no tensor \(key)") }
    return found
  }
}
