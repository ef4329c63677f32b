internal import Checkpoints
internal import PlanFiles
internal import Pruning
internal import TensorFiles

/// The partial folder of an apply as the ranks write it and read it again.
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

  /// Writes a module's words to where they belong.
  func write<Word: StoredWord>(_ words: [Word], of weight: ModuleWeight) throws(Failure) {
    do throws(TensorFileError) {
      for place in checkpoint.places(of: weight) {
        try files[place.file].write(
          words.span.extracting(place.elements), at: place.byteOffset)
      }
    } catch {
      throw Failure(error)
    }
  }

  /// Copies bytes of the checkpoint to the same place.
  func copy(_ range: Range<Int>, ofFile file: Int) throws(Failure) {
    do throws(TensorFileError) {
      try checkpoint.tensors.withBytes(ofFile: file, range) {
        (bytes: RawSpan) throws(TensorFileError) in
        try files[file].write(bytes, at: range.lowerBound)
      }
    } catch {
      throw Failure(error)
    }
  }

  /// XXH64 of a module's bytes as they are now.
  func contents(of weight: ModuleWeight) throws(Failure) -> String {
    switch weight.elementType.bitWidth {
    case 16: try counted(weight, as: UInt16.self).contents
    case 32: try counted(weight, as: UInt32.self).contents
    default: try counted(weight, as: UInt64.self).contents
    }
  }

  private func counted<Word: StoredWord>(
    _ weight: ModuleWeight, as type: Word.Type
  ) throws(Failure) -> (zeros: Int, contents: String) {
    do throws(TensorFileError) {
      let words = try Checkpoint.words(of: weight, in: tensors, as: type)
      var zeros = 0
      for word in words where word.magnitudeBits == 0 { zeros += 1 }
      return (zeros, XXHash64.hash(words).hexadecimal)
    } catch {
      throw Failure(error)
    }
  }
}

/// What a rank found in the files.
struct CheckedOutcomes {
  var modules: [IndexedUnit<ApplyDocument.Module>] = []
  var tensors: [IndexedUnit<ApplyDocument.Tensor>] = []
  var statisticsContents: UInt64 = 0
}

extension WrittenFolder {
  /// Counts the zeros of the rank's own modules and hashes its share of all tensors, from the files.
  ///
  /// - Throws: `internalFault` where a file does not hold what was written, a bad disk included.
  func check(
    _ outcomes: ApplyOutcomes, rank: Int, ranks: Int
  ) throws(Failure) -> CheckedOutcomes {
    var checked = CheckedOutcomes(statisticsContents: outcomes.statisticsContents)
    for (module, record) in outcomes.modules {
      let weight = module.weight
      let found =
        switch weight.elementType.bitWidth {
        case 16: try counted(weight, as: UInt16.self)
        case 32: try counted(weight, as: UInt32.self)
        default: try counted(weight, as: UInt64.self)
        }
      guard found.contents == record.output, found.zeros >= record.pruned else {
        throw Failure(
          .internalFault,
          "module \"\(weight.name)\" reads back with \(found.zeros) zeros and hash \(found.contents), but "
            + "\(record.pruned) and \(record.output) were written; check the disk and start again")
      }
      checked.modules.append(
        IndexedUnit(
          index: module.index,
          unit: ApplyDocument.Module(
            name: weight.name, unit: module.unit, tensors: weight.blocks.map(\.tensor),
            shape: [weight.outputs, weight.inputs], weights: weight.count, pruned: record.pruned,
            zerosBefore: record.zerosBefore, zeros: found.zeros,
            pattern: module.pattern?.description)))
    }
    let names = tensors.names
    let work = names.map { Double(tensors[$0]?.byteCount ?? 0) }
    do throws(TensorFileError) {
      for index in Slicing(work: work, ranks: ranks).unitsOfRank[rank] {
        let input = try checkpoint.tensors.checksum(of: names[index])
        let output = try tensors.checksum(of: names[index])
        checked.tensors.append(
          IndexedUnit(
            index: index,
            unit: ApplyDocument.Tensor(
              name: names[index], input: input.hexadecimal, output: output.hexadecimal)))
      }
    } catch {
      throw Failure(error)
    }
    return checked
  }
}
