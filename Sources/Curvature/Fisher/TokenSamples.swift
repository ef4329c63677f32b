internal import TensorFiles

/// Which rows of the raw captures belong to which sample.
struct TokenSamples {
  /// N + 1 ascending row numbers: sample i has the tokens offsets[i] ..< offsets[i + 1].
  let offsets: [Int]

  var count: Int { offsets.count - 1 }
  var tokens: Int { offsets.last ?? 0 }

  /// From `.sample_offsets`; without it every token is a sample of its own.
  init(of module: ModuleStatistics, in statistics: Statistics) throws(CurvatureError) {
    let key = try statistics.requiredKey(.tokenInputs, of: module)
    let tokens = statistics.tensors[key]?.shape.first ?? 0
    guard let place = module.key(.sampleOffsets) else {
      offsets = Array(0...tokens)
      return
    }
    let stored: [Int64]
    do { stored = try statistics.tensors.readIntegers(place) } catch { throw .file(error) }
    let offsets = stored.map { Int($0) }
    guard offsets.count >= 2, offsets.first == 0, offsets.last == tokens,
      zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 })
    else {
      throw .statistics(
        "\(statistics.place(of: place)): must run from 0 to \(tokens), the tokens of module "
          + "\"\(module.name)\", never falling, with at least 2 numbers; it has \(offsets.count), the "
          + "first \(offsets.first ?? 0) and the last \(offsets.last ?? 0)")
    }
    self.offsets = offsets
  }

  /// The sample of every token.
  var sampleOfToken: [Int] {
    var samples: [Int] = []
    samples.reserveCapacity(tokens)
    for sample in 0..<count {
      samples += repeatElement(sample, count: offsets[sample + 1] - offsets[sample])
    }
    return samples
  }
}
