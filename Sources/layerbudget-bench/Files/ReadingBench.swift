internal import ArgumentParser
internal import Collectives
internal import FoundationEssentials
internal import Glibc
internal import TensorFiles

/// How fast tensors are read from the page cache, by stored type and by what is done to them, beside
/// reading the bytes alone.
struct ReadingBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reading",
    abstract: "Reading, decoding and hashing page-cached tensors, beside reading their bytes.")

  @OptionGroup var options: BenchOptions

  @Option(help: "Folder for the file; it is removed afterwards.")
  var folder = "/tmp"

  @Option(help: "Elements of a tensor, in millions.")
  var millions = 64

  func validate() throws {
    guard (1...4096).contains(millions) else {
      throw ValidationError("--millions is \(millions), but must be between 1 and 4096")
    }
  }

  func run() throws {
    try Bench.run(ReadingWork(options: options, folder: folder, count: millions * 1_000_000))
  }
}

private struct ReadingWork: Bench.Work {
  let name = "reading"
  let options: BenchOptions
  let folder: String
  let count: Int

  struct Line: Encodable {
    let stored: String
    let decoded: String
    let bytesAlone: Double
    let hashed: Double
    let decodedFinite: Double
    let decodedFiniteAndHashed: Double
    /// The same in two readings.
    let decodedThenHashed: Double

    enum CodingKeys: String, CodingKey {
      case stored, decoded
      case bytesAlone = "bytes_alone_gb_per_second"
      case hashed = "hashed_gb_per_second"
      case decodedFinite = "decoded_gb_per_second"
      case decodedFiniteAndHashed = "decoded_and_hashed_gb_per_second"
      case decodedThenHashed = "decoded_then_hashed_gb_per_second"
    }
  }

  func measure(over world: borrowing some Collective & ~Copyable) throws -> [Line] {
    var lines: [Line] = []
    for type in [ElementType.bfloat16, .float16, .float32, .float64] {
      let path = "\(folder)/layerbudget-bench-\(getpid()).safetensors"
      defer { try? FileManager.default.removeItem(atPath: path) }
      try write(type, to: path)
      lines.append(try measure(type, as: Float.self, path, over: world))
      lines.append(try measure(type, as: Double.self, path, over: world))
    }
    return lines
  }

  /// Small finite numbers in any of the types: the bits of the largest exponents are never set.
  private func write(_ type: ElementType, to path: String) throws {
    let width = type.bitWidth / 8
    var bytes = [UInt8](repeating: 0, count: count * width)
    var state: UInt64 = 1
    for index in 0..<count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      bytes[index * width] = UInt8(truncatingIfNeeded: state >> 56)
      bytes[index * width + width - 1] = UInt8(truncatingIfNeeded: state >> 40) & 0xB7
    }
    try TensorFileWriter.write([("a", type, [count], bytes)], metadata: [:], to: path)
  }

  private func measure<T: DecodedElement>(
    _ type: ElementType, as: T.Type, _ path: String,
    over world: borrowing some Collective & ~Copyable
  ) throws -> Line {
    let file = try TensorCollection(path: path)
    var values = [T](repeating: 0, count: count)
    let header = file.files[0].headerByteCount
    let bytes = header..<file.files[0].byteCount
    func decode() throws {
      var span = values.mutableSpan
      try file.readFinite("a", into: &span)
    }
    let times = try options.time(
      over: world,
      [
        { try file.forEachPiece(ofFile: 0, bytes) { _, _ in } },
        { _ = try file.checksum(of: "a") },
        { try decode() },
        {
          var span = values.mutableSpan
          var hash = PassingHash()
          try file.readFinite("a", elements: 0..<count, into: &span, hashing: &hash)
        },
        {
          try decode()
          _ = try file.checksum(of: "a")
        },
      ])
    let rates = times.map { Double(bytes.count) / 1e9 / $0.median }
    return Line(
      stored: type.rawValue, decoded: "\(T.self)", bytesAlone: rates[0], hashed: rates[1],
      decodedFinite: rates[2], decodedFiniteAndHashed: rates[3], decodedThenHashed: rates[4])
  }
}
