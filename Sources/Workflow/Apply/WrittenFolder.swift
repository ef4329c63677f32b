internal import Checkpoints
internal import Collectives
internal import Curvature
internal import PlanFiles
internal import Pruning
internal import TensorFiles

/// The partial folder of an apply as the ranks write it, and read of it what they did not write.
struct WrittenFolder {
  private let checkpoint: Checkpoint
  private let tensors: TensorCollection
  /// One per file of the checkpoint, in its order.
  private let files: [PositionedFile]
  init(_ folder: OutputFolder, _ checkpoint: Checkpoint) throws(Failure) {
    self.checkpoint = checkpoint
    do throws(TensorFileError) {
      var files: [PositionedFile] = []
      for file in checkpoint.tensors.files {
        files.append(try PositionedFile(path: "\(folder.partial)/\(file.name)"))
      }
      self.files = files
      tensors = try TensorCollection(checkpoint: folder.partial)
    } catch {
      throw Failure(error)
    }
  }

  /// Writes a module's words to where they belong, from stored position `first` on.
  ///
  /// They are not read again: that would show the kernel's copy in memory, which is what was written, and take a
  /// sixth of the time. The disk answers when the file is synced.
  func write<Word: StoredWord>(
    _ words: Span<Word>, from first: Int = 0, of weight: ModuleWeight
  ) throws(Failure) {
    let given = first..<first + words.count
    for place in checkpoint.places(of: weight) {
      let here = place.elements.clamped(to: given)
      guard !here.isEmpty else { continue }
      let offset =
        place.byteOffset + (here.lowerBound - place.elements.lowerBound) * (Word.bitWidth / 8)
      do throws(TensorFileError) {
        try files[place.file].write(
          words.extracting(here.lowerBound - first..<here.upperBound - first), at: offset)
      } catch {
        throw Failure(error)
      }
    }
  }

  /// Says that a module is written, so that the disk may begin with it.
  func beginSync(of weight: ModuleWeight) {
    let width = weight.elementType.bitWidth / 8
    for place in checkpoint.places(of: weight) {
      files[place.file].beginSync(
        at: place.byteOffset, byteCount: place.elements.count * width)
    }
  }

  /// Copies bytes of the checkpoint to the same place.
  func copy(_ range: Range<Int>, ofFile file: Int) throws(Failure) {
    do throws(TensorFileError) {
      try checkpoint.tensors.forEachPiece(ofFile: file, range) {
        (offset: Int, bytes: RawSpan) throws(TensorFileError) in
        try files[file].write(bytes, at: offset)
      }
    } catch {
      throw Failure(error)
    }
  }

  /// XXH64 of a module's bytes as they are now.
  func contents(of weight: ModuleWeight) throws(Failure) -> String {
    switch weight.elementType.bitWidth {
    case 16: try hash(of: weight, as: UInt16.self)
    case 32: try hash(of: weight, as: UInt32.self)
    default: try hash(of: weight, as: UInt64.self)
    }
  }

  private func hash<Word: StoredWord>(
    of weight: ModuleWeight, as type: Word.Type
  ) throws(Failure) -> String {
    var hash = XXHash64()
    do throws(TensorFileError) {
      try weight.forEachPiece(in: tensors, as: type) { _, words in
        hash.update(unsafe words.span.bytes)
      }
    } catch {
      throw Failure(error)
    }
    return hash.digest.hexadecimal
  }
}

/// What a rank found in the files.
struct CheckedOutcomes {
  var modules: [IndexedUnit<ApplyDocument.Module>] = []
  var tensors: [IndexedUnit<ApplyDocument.Tensor>] = []
  var statisticsContents: UInt64 = 0
}

extension WrittenFolder {
  /// What the rank's own modules came to, which were counted and hashed as they were written, and hashes of its
  /// share of all other tensors, from the files.
  ///
  /// - Throws: `internalFault` where a module has fewer zeros than its plan asks for.
  func check(
    _ outcomes: ApplyOutcomes, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> CheckedOutcomes {
    var checked = CheckedOutcomes(statisticsContents: outcomes.statisticsContents)
    let others = otherTensors(outcomes, over: world)
    var steps = ProgressSteps(
      .checking, work: others.map { 2 * Double(tensors[tensors.names[$0]]?.byteCount ?? 0) })
    for (module, record) in outcomes.modules {
      let weight = module.weight
      guard record.zeros >= record.pruned else {
        throw Failure(
          .internalFault,
          "module \"\(weight.name)\" has \(record.zeros) zeros, but \(record.pruned) weights were to be "
            + "removed")
      }
      checked.modules.append(
        IndexedUnit(
          index: module.index,
          unit: ApplyDocument.Module(
            name: weight.name, unit: module.unit, tensors: weight.blocks.map(\.tensor),
            shape: [weight.outputs, weight.inputs], weights: weight.count, pruned: record.pruned,
            zerosBefore: record.zerosBefore, zeros: record.zeros,
            pattern: module.pattern?.description)))
    }
    checked.tensors = try hashes(outcomes, others, &steps, over: world)
    world.report(steps.end())
    return checked
  }

  /// Hashes of every tensor before and after. Of one that is a module the hashes are known to the rank
  /// that checked it; the others are divided over the ranks and read.
  private func hashes(
    _ outcomes: ApplyOutcomes, _ others: [Int], _ steps: inout ProgressSteps,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> [IndexedUnit<ApplyDocument.Tensor>] {
    let names = tensors.names
    let position = Dictionary(
      uniqueKeysWithValues: names.enumerated().map { (NaturalName($1), $0) })
    var hashes: [IndexedUnit<ApplyDocument.Tensor>] = []
    for (module, record) in outcomes.modules where isWhole(module.weight) {
      let name = module.weight.blocks[0].tensor
      hashes.append(
        IndexedUnit(
          index: position[NaturalName(name)] ?? 0,
          unit: ApplyDocument.Tensor(name: name, input: record.input, output: record.output)))
    }
    do throws(TensorFileError) {
      for index in others {
        world.report(steps.begin())
        let input = try checkpoint.tensors.checksum(of: names[index])
        let output = try tensors.checksum(of: names[index])
        hashes.append(
          IndexedUnit(
            index: index,
            unit: ApplyDocument.Tensor(
              name: names[index], input: input.hexadecimal, output: output.hexadecimal)))
      }
    } catch {
      throw Failure(error)
    }
    return hashes
  }

  /// This rank's share of the tensors that are not one module each.
  private func otherTensors(
    _ outcomes: ApplyOutcomes, over world: borrowing some Collective & ~Copyable
  ) -> [Int] {
    let names = tensors.names
    let others = names.indices.filter { !outcomes.wholeTensors.contains(NaturalName(names[$0])) }
    let work = others.map { Double(tensors[names[$0]]?.byteCount ?? 0) }
    return Slicing(work: work, ranks: world.size).unitsOfRank[world.rank].map { others[$0] }
  }

  private func isWhole(_ weight: ModuleWeight) -> Bool {
    weight.isWhole(in: checkpoint.tensors)
  }
}

extension ModuleWeight {
  /// Whether the module is a tensor of its own, all of it.
  func isWhole(in tensors: TensorCollection) -> Bool {
    blocks.count == 1 && blocks[0].elements == tensors[blocks[0].tensor]?.elementCount
  }
}
