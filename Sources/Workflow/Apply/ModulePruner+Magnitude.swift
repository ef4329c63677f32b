internal import Checkpoints
internal import PlanFiles
internal import Pruning
internal import TensorFiles

extension ModulePruner {
  /// Prunes a module by magnitude while its words pass by: two passes over a 16-bit type, and no more
  /// memory than a piece.
  mutating func pruneByMagnitude<Word: StoredWord>(
    _ module: PlannedModule, into folder: WrittenFolder, _ journal: inout Journal<ApplyRecord>,
    as type: Word.Type
  ) throws(Failure) -> ApplyRecord {
    let weight = module.weight
    // 1. The module as it is, and whether it is done already.
    var cut = MagnitudeCut<Word>(weight, count: module.count)
    var input = XXHash64()
    try forEachPiece(of: weight) { (first: Int, words: inout MutableSpan<Word>) in
      input.update(unsafe words.span.bytes)
      cut.look(at: words.span, from: first)
    }
    cut.endPass()
    // Read as a whole it says which weight is not finite.
    if cut.sawNonFinite { _ = try Self.stored(weight, in: inputs.checkpoint, as: type) }
    var record = ApplyRecord(
      module: weight.name, input: input.digest.hexadecimal, output: "",
      statistics: try contents(of: module).hexadecimal, pruned: module.count, zerosBefore: cut.zeros
    )
    if let done = try earlier(record, module, in: folder, journal) { return done }

    // 2. Which weights go, where one pass cannot tell.
    while !cut.isFound {
      try forEachPiece(of: weight) { (first: Int, words: inout MutableSpan<Word>) in
        cut.look(at: words.span, from: first)
      }
      cut.endPass()
    }

    // 3. The others in their place, then in the journal.
    var output = XXHash64()
    try forEachPiece(of: weight) {
      (first: Int, words: inout MutableSpan<Word>) throws(Failure) in
      cut.clear(&words, from: first)
      record.zeros += Word.zeroCount(in: words.span)
      output.update(unsafe words.span.bytes)
      try folder.write(words.span, from: first, of: weight)
    }
    record.output = output.digest.hexadecimal
    folder.beginSync(of: module.weight)
    try journal.append(record)
    return record
  }

  /// The module's words in pieces of whole `multiple`s; what `body` throws ends the walk.
  func forEachPiece<Word: StoredWord>(
    of weight: ModuleWeight, multipleOf multiple: Int = 1,
    _ body: (_ first: Int, _ words: inout MutableSpan<Word>) throws(Failure) -> Void
  ) throws(Failure) {
    var failure: Failure?
    do throws(TensorFileError) {
      try weight.forEachPiece(
        in: inputs.checkpoint.tensors, as: Word.self, multipleOf: multiple
      ) { (first: Int, words: inout MutableSpan<Word>) in
        guard failure == nil else { return }
        do throws(Failure) { try body(first, &words) } catch { failure = error }
      }
    } catch {
      throw Failure(error)
    }
    if let failure { throw failure }
  }
}
