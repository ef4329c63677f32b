internal import DenseLinearAlgebra
internal import TensorFiles

typealias Readable = LinearAlgebraElement & DecodedElement

extension Statistics {
  /// A tensor of finite values as a matrix.
  func matrix<Element: Readable>(
    _ key: String, rows: Int, columns: Int, as type: Element.Type
  ) throws(CurvatureError) -> Matrix<Element> {
    try matrix(key, elements: 0..<rows * columns, columns: columns, as: type)
  }

  /// Consecutive elements of a tensor as whole rows of a matrix.
  func matrix<Element: Readable>(
    _ key: String, elements: Range<Int>, columns: Int, as type: Element.Type
  ) throws(CurvatureError) -> Matrix<Element> {
    let rows = columns == 0 ? 0 : elements.count / columns
    do {
      return try Matrix<Element>.overwritten(rows: rows, columns: columns) {
        (span: inout MutableSpan<Element>) throws(TensorFileError) in
        try tensors.readFinite(key, elements: elements, into: &span)
      }
    } catch {
      throw .file(error)
    }
  }

  func requiredKey(
    _ quantity: StatisticsQuantity, of module: ModuleStatistics
  ) throws(CurvatureError) -> String {
    guard let key = module.key(quantity) else { throw lacking(".\(quantity.rawValue)", module) }
    return key
  }

  /// Refuses, before anything is computed, modules that lack what `kind` needs.
  public func requireQuantities(
    of kind: CurvatureKind, in units: [ModuleUnit]
  ) throws(CurvatureError) {
    for module in units.flatMap(\.modules) {
      if let missing = module.lacks(for: kind) { throw lacking(missing, module) }
    }
  }

  private func lacking(_ what: String, _ module: ModuleStatistics) -> CurvatureError {
    .statistics(
      "module \"\(module.name)\" has no \(what) (it has "
        + "\(module.keys.keys.map(\.rawValue).sorted().joined(separator: ", "))); collect it, or "
        + "choose another --curvature")
  }

  /// `file: "key"`, for messages.
  func place(of key: String) -> String { "\(tensors.fileName(holding: key)): \"\(key)\"" }

  /// The same of a quantity that a module may have.
  func place(of quantity: StatisticsQuantity, in module: ModuleStatistics) -> String {
    module.key(quantity).map(place) ?? "\(module.name).\(quantity.rawValue)"
  }
}

extension Statistics {
  /// Checksum of everything that is read of a module, independent of the order of reading.
  /// - Complexity: one reading of the module's tensors, but for those that a ``GainComputer`` of these
  ///   statistics has read.
  public func checksum(
    of module: ModuleStatistics, under options: GainOptions
  ) throws(CurvatureError) -> UInt64 {
    var sum: UInt64 = 0
    for quantity in module.quantitiesRead(for: options.kind, rule: options.effectiveRule) {
      let key = try requiredKey(quantity, of: module)
      do {
        let checksum =
          options.readsDiagonalAlone(of: quantity, module)
          ? Self.checksum(try tensors.readFiniteDiagonal(key)) : try tensors.checksum(of: key)
        sum &+= (checksum ^ Self.nameHash(key)) &* 0x9E37_79B9_7F4A_7C15
      } catch {
        throw .file(error)
      }
    }
    return sum
  }

  /// Lets the system begin to read what a module's gain needs. It may block until the disk has taken
  /// it all, so it belongs on a thread of its own (`ReadAhead`); it changes no result.
  public func willRead(_ module: ModuleStatistics, under options: GainOptions) {
    for quantity in module.quantitiesRead(for: options.kind, rule: options.effectiveRule)
    where !options.readsDiagonalAlone(of: quantity, module) {
      if let key = module.key(quantity) { tensors.willRead(key) }
    }
  }

  /// Reads and decodes some of what the modules' gains need, to learn how long that takes.
  ///
  /// - Returns: bytes that were read, at most `limit`.
  public func readSample(
    atMost limit: Int, under options: GainOptions
  ) throws(CurvatureError) -> Int {
    var done = 0
    var places = [Float](repeating: 0, count: 1 << 18)
    for module in modules {
      for quantity in module.quantitiesRead(for: options.kind, rule: options.effectiveRule)
      where !options.readsDiagonalAlone(of: quantity, module) {
        guard let key = module.key(quantity), let entry = tensors[key],
          entry.elementType.isFloatingPoint
        else { continue }
        let width = entry.elementType.bitWidth / 8
        for first in stride(from: 0, to: entry.elementCount, by: places.count) {
          let elements = first..<min(first + places.count, entry.elementCount)
          guard done + elements.count * width <= limit else { return done }
          if elements.count < places.count {
            places = [Float](repeating: 0, count: elements.count)
          }
          var span = places.mutableSpan
          do throws(TensorFileError) {
            try tensors.readFinite(key, elements: elements, into: &span)
          } catch {
            throw .file(error)
          }
          done += elements.count * width
        }
      }
    }
    return done
  }

  /// Changes with whatever decides a module's gain beside the options and the values that are read: its
  /// shape, its counts, and how the stored values are to be taken.
  public static func conventions(of module: ModuleStatistics) -> UInt64 {
    let divisors = module.divisors.map { "\($0.rawValue) \($1)" }.sorted()
    let keys = module.keys.map { "\($0.rawValue) \($1)" }.sorted()
    let facts =
      [
        module.name, "\(module.outputs)", "\(module.inputs)", "\(module.appendsBias)",
        "\(module.folds ?? 0)", "\(module.samples ?? -1)", "\(module.tokens ?? -1)",
        "\(module.transposed)",
      ] + divisors + keys
    return XXHash64.hash(Array(facts.map { "\($0.utf8.count):\($0)" }.joined().utf8))
  }

  /// FNV-1a of a key, so that two tensors that swap contents change the sum.
  private static func nameHash(_ key: String) -> UInt64 {
    key.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }

  private static func checksum(_ values: [Double]) -> UInt64 {
    values.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ $1.bitPattern) &* 0x0000_0100_0000_01B3 }
  }

  /// Bytes of the tensors that are read of a module.
  public func bytesRead(of module: ModuleStatistics, under options: GainOptions) -> Int {
    module.quantitiesRead(for: options.kind, rule: options.effectiveRule).reduce(0) {
      sum, quantity in
      guard let key = module.key(quantity) else { return sum }
      guard options.readsDiagonalAlone(of: quantity, module) else {
        return sum + tensors.byteCount(of: key)
      }
      return sum + tensors.byteCount(of: key) / (module.shapes[quantity]?.first ?? 1)
    }
  }
}
