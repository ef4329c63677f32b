internal import Checkpoints
internal import Curvature
internal import DenseLinearAlgebra
internal import PlanFiles
internal import Pruning
internal import TensorFiles

/// Prunes one module after another: reads its words, removes weights, writes them, notes it.
///
/// Magnitude and wanda without a pattern walk over the file in pieces (ModulePruner+Magnitude.swift,
/// ModulePruner+Rows.swift); all else holds one module in memory.
///
/// Keeps the last factor of sparsegpt, because neighbouring modules often share their inputs; so it is
/// moved, never copied.
struct ModulePruner: ~Copyable {
  private let request: ApplyRequest
  let inputs: ApplyInputs
  private var factors: SparseGPTFactors
  /// Modules have few shapes: the memory of one's matrices serves the next.
  private let reuse = MatrixReuse()
  /// Mean squares of the last module's inputs, by where they are stored.
  private var lastSquares: (key: String, values: [Double]) = ("", [])
  /// Modules that an earlier run had written.
  private(set) var resumed = 0

  init(_ request: ApplyRequest, _ inputs: ApplyInputs) {
    self.request = request
    self.inputs = inputs
    factors = SparseGPTFactors(precision: request.precision)
  }

  /// The modules with their counts: as planned, or by one threshold over all of them.
  mutating func counted(_ modules: [PlannedModule]) throws(Failure) -> [PlannedModule] {
    guard request.within == .global, modules.count > 1, modules[0].pattern == nil else {
      return modules
    }
    var measures: [WeightMeasure] = []
    for module in modules { measures.append(try measure(of: module)) }
    let checkpoint = inputs.checkpoint
    let counts = try CountSpread.byThreshold(
      modules.reduce(0) { $0 + $1.count }, modules: modules.count
    ) { index, body throws(Failure) in
      try Self.forEachKey(of: modules[index].weight, in: checkpoint, measures[index], body)
    }
    return zip(modules, counts).map { module, count in
      var counted = module
      counted.count = count
      return counted
    }
  }

  /// Prunes and writes one module, or finds that an earlier run has done so.
  mutating func prune(
    _ module: PlannedModule, into folder: WrittenFolder, _ journal: inout Journal<ApplyRecord>
  ) throws(Failure) -> ApplyRecord {
    switch module.weight.elementType.bitWidth {
    case 16: try prune(module, into: folder, &journal, as: UInt16.self)
    case 32: try prune(module, into: folder, &journal, as: UInt32.self)
    default: try prune(module, into: folder, &journal, as: UInt64.self)
    }
  }

  private mutating func prune<Word: StoredWord>(
    _ module: PlannedModule, into folder: WrittenFolder, _ journal: inout Journal<ApplyRecord>,
    as type: Word.Type
  ) throws(Failure) -> ApplyRecord {
    if request.method == .magnitude, module.pattern == nil {
      return try pruneByMagnitude(module, into: folder, &journal, as: type)
    }
    if request.method == .wanda, module.pattern == nil, !module.weight.isTransposed {
      return try pruneByRows(module, into: folder, &journal, as: type)
    }
    // 1. The module as it is, and whether it is done already.
    var weights = try Self.stored(module.weight, in: inputs.checkpoint, as: type)
    var record = ApplyRecord(
      module: module.weight.name, input: XXHash64.hash(weights.words).hexadecimal, output: "",
      statistics: try contents(of: module).hexadecimal, pruned: module.count,
      zerosBefore: weights.zeros)
    if let done = try earlier(record, module, in: folder, journal) { return done }

    // 2. Without some of its weights.
    let measure = request.method == .sparsegpt ? .magnitude : try measure(of: module)
    if request.method == .sparsegpt {
      try factors.prune(
        &weights, count: module.count, pattern: module.pattern, module, inputs)
    } else if let pattern = module.pattern {
      weights.remove(pattern, by: measure)
    } else {
      weights.removeSmallestOfRows(module.count, by: measure)
    }

    // 3. In its place, then in the journal.
    try folder.write(weights.words.span, of: module.weight)
    record.zeros = weights.zeros
    record.output = XXHash64.hash(weights.words).hexadecimal
    folder.beginSync(of: module.weight)
    try journal.append(record)
    return record
  }

  /// What an earlier run wrote of the same module for the same reasons, if the file holds it still.
  mutating func earlier(
    _ record: ApplyRecord, _ module: PlannedModule, in folder: WrittenFolder,
    _ journal: borrowing Journal<ApplyRecord>
  ) throws(Failure) -> ApplyRecord? {
    guard let done = journal.record(of: record.module), done.input == record.input,
      done.statistics == record.statistics, done.pruned == record.pruned,
      try folder.contents(of: module.weight) == done.output
    else { return nil }
    resumed += 1
    return done
  }

  /// What orders the weights of a module under the request's method.
  mutating func measure(of module: PlannedModule) throws(Failure) -> WeightMeasure {
    guard let statistics = inputs.statistics, let own = module.statistics else { return .magnitude }
    switch request.method {
    case .magnitude:
      return .magnitude
    case .wanda:
      do throws(CurvatureError) {
        let squares = try meanSquares(of: own, in: statistics)
        return .wanda(squares: Array(squares.prefix(module.weight.inputs)))
      } catch {
        throw Failure(error)
      }
    case .sparsegpt:
      return try factors.measure(of: module, inputs)
    }
  }

  /// Mean squares of a module's inputs, read once for neighbours that share them.
  private mutating func meanSquares(
    of module: ModuleStatistics, in statistics: Statistics
  ) throws(CurvatureError) -> [Double] {
    let key = try statistics.activationKey(of: module)
    if lastSquares.key != key {
      lastSquares = (key, try statistics.activationSquares(of: module))
    }
    return lastSquares.values
  }

  /// Checksum of what a module needs of the statistics.
  mutating func contents(of module: PlannedModule) throws(Failure) -> UInt64 {
    guard let statistics = inputs.statistics, let own = module.statistics else { return 0 }
    do throws(CurvatureError) {
      let checksum =
        request.method == .wanda
        ? XXHash64.hash(try meanSquares(of: own, in: statistics).map(\.bitPattern))
        : try statistics.activationChecksum(of: own)
      return XXHash64.hash(Array("\(module.weight.name) \(checksum)".utf8))
    } catch {
      throw Failure(error)
    }
  }

  /// The module's words, all of them finite numbers.
  static func stored<Word: StoredWord>(
    _ weight: ModuleWeight, in checkpoint: Checkpoint, as type: Word.Type
  ) throws(Failure) -> StoredWeights<Word> {
    let weights: StoredWeights<Word>
    do throws(CheckpointError) {
      weights = StoredWeights(place: weight, words: try checkpoint.words(of: weight, as: type))
    } catch {
      throw Failure(error)
    }
    if let index = weights.firstNonFinite {
      throw Failure(
        .badData,
        "\(checkpoint.path): \"\(weight.blocks[0].tensor)\": element \(index) of module "
          + "\"\(weight.name)\" is \(weights.words[index].decoded(as: weight.elementType)), but weights "
          + "must be finite; the checkpoint is damaged")
    }
    return weights
  }

  private static func forEachKey(
    of weight: ModuleWeight, in checkpoint: Checkpoint, _ measure: WeightMeasure,
    _ body: (UInt64) -> Void
  ) throws(Failure) {
    switch weight.elementType.bitWidth {
    case 16: try stored(weight, in: checkpoint, as: UInt16.self).forEachKey(measure, body)
    case 32: try stored(weight, in: checkpoint, as: UInt32.self).forEachKey(measure, body)
    default: try stored(weight, in: checkpoint, as: UInt64.self).forEachKey(measure, body)
    }
  }
}
