internal import Checkpoints
internal import Collectives
internal import Curvature
internal import DenseLinearAlgebra

/// Where the weights of this rank's units lie, with what is needed to price each of them.
struct OwnedWeights: Sendable {
  struct Part: Sendable {
    let module: ModuleStatistics
    let weight: ModuleWeight
  }

  let checkpoint: Checkpoint
  let statistics: Statistics
  let options: GainOptions
  /// The parts of every unit, in the order of the rank's gains and of the units' modules.
  let units: [[Part]]

  /// Elements that are read at a time: 8 MB, so that the costs of a block are still in the cache when
  /// they are counted.
  private static let blockElements = 1 << 20

  /// Calls `body` with the costs s = ½ w² h of a module's weights, [rows, inputs], in consecutive
  /// blocks of rows. Returns a checksum of the weights.
  ///
  /// - Complexity: one pass over the weights and one reading of the module's curvature.
  func visitCosts(
    of part: Part, _ body: (borrowing Matrix<Double>) -> Void
  ) throws(Failure) -> UInt64 {
    let (module, weight) = (part.module, part.weight)
    let diagonal: CurvatureDiagonal
    do throws(CurvatureError) {
      diagonal = try statistics.diagonal(of: module, under: options)
    } catch {
      throw Failure(error)
    }
    // FNV-1a of the name, then of the values in their order: two modules that swap their weights
    // change the sum over modules.
    var checksum = weight.name.utf8.reduce(Self.checksumBasis) {
      ($0 ^ UInt64($1)) &* Self.checksumPrime
    }
    let step = max(Self.blockElements / max(weight.inputs, 1), 1)
    for first in stride(from: 0, to: weight.outputs, by: step) {
      let rows = first..<min(first + step, weight.outputs)
      var block: Matrix<Double>
      do throws(CheckpointError) {
        block = try checkpoint.matrix(of: weight, rows: rows, as: Double.self)
      } catch {
        throw Failure(error)
      }
      checksum = block.withSpan { values in
        var hash = checksum
        for index in values.indices {
          hash = (hash ^ values[index].bitPattern) &* Self.checksumPrime
        }
        return hash
      }
      diagonal.replaceByCosts(&block, firstRow: first)
      body(block)
    }
    return checksum
  }

  private static let checksumBasis: UInt64 = 0xCBF2_9CE4_8422_2325
  private static let checksumPrime: UInt64 = 0x0000_0100_0000_01B3
}

extension StatisticsRequest {
  /// Opens the checkpoint and finds the weights of every module, from headers alone; nil where none
  /// was given. Collective; all ranks must see the same headers.
  func openWeights(
    of opened: OpenedUnits, owned: [Int], over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> OwnedWeights? {
    guard let path = checkpoint else { return nil }
    let (checkpoint, weights) = try agreed(over: world) { () throws(Failure) in
      try Self.weights(at: path, of: opened.units)
    }
    try requireSameTensors(checkpoint, what: path, over: world)
    return OwnedWeights(
      checkpoint: checkpoint, statistics: opened.statistics, options: options,
      units: owned.map { index in
        zip(opened.units[index].modules, weights[index]).map {
          OwnedWeights.Part(module: $0, weight: $1)
        }
      })
  }

  /// The weights of every module of every unit.
  private static func weights(
    at path: String, of units: [ModuleUnit]
  ) throws(Failure) -> (Checkpoint, [[ModuleWeight]]) {
    let shapes = units.flatMap(\.modules).map {
      ModuleShape(name: $0.name, outputs: $0.outputs, inputs: $0.inputs)
    }
    let checkpoint: Checkpoint
    let found: [ModuleWeight]
    do throws(CheckpointError) {
      checkpoint = try Checkpoint(path: path)
      found = try checkpoint.weights(of: shapes)
    } catch {
      throw Failure(error)
    }
    if let empty = found.first(where: { $0.count == 0 }) {
      throw Failure(
        .badData,
        "\(path): \"\(empty.blocks.first?.tensor ?? empty.name)\" of module \"\(empty.name)\" has shape "
          + "[\(empty.outputs), \(empty.inputs)], but weights to remove need both above 0; leave the "
          + "module out with --exclude")
    }
    var rest = found[...]
    let grouped = units.map { unit in
      defer { rest = rest.dropFirst(unit.modules.count) }
      return Array(rest.prefix(unit.modules.count))
    }
    return (checkpoint, grouped)
  }
}
