internal import Checkpoints
internal import PlanFiles
internal import Pruning
internal import TensorFiles

extension ModulePruner {
  /// Prunes a module by wanda while its rows pass by: once, where no earlier run has done it, and with no
  /// more memory than a piece.
  mutating func pruneByRows<Word: StoredWord>(
    _ module: PlannedModule, into folder: WrittenFolder, _ journal: inout Journal<ApplyRecord>,
    as type: Word.Type
  ) throws(Failure) -> ApplyRecord {
    let weight = module.weight
    var record = ApplyRecord(
      module: weight.name, input: "", output: "",
      statistics: try contents(of: module).hexadecimal, pruned: module.count, zerosBefore: 0)

    // 1. Where an earlier run has noted the module: whether it is the same, and done.
    if journal.record(of: weight.name) != nil {
      var known = XXHash64()
      try forEachPiece(of: weight) { (_, words: inout MutableSpan<Word>) in
        known.update(unsafe words.span.bytes)
      }
      record.input = known.digest.hexadecimal
      if let done = try earlier(record, module, in: folder, journal) { return done }
    }

    // 2. Row after row: hashed, cut, hashed, in their place; then in the journal.
    var cut = RowCut<Word>(weight, count: module.count, by: try measure(of: module))
    var (input, output) = (XXHash64(), XXHash64())
    try forEachPiece(of: weight, multipleOf: weight.inputs) {
      (first: Int, words: inout MutableSpan<Word>) throws(Failure) in
      if Word.largestMagnitude(of: words.span) >= Word.infinity(of: weight.elementType) {
        // Read as a whole it says which weight is not finite.
        _ = try Self.stored(weight, in: inputs.checkpoint, as: type)
      }
      input.update(unsafe words.span.bytes)
      record.zerosBefore += Word.zeroCount(in: words.span)
      cut.clear(&words, fromRow: first / weight.inputs)
      output.update(unsafe words.span.bytes)
      record.zeros += Word.zeroCount(in: words.span)
      try folder.write(words.span, from: first, of: weight)
    }
    (record.input, record.output) = (input.digest.hexadecimal, output.digest.hexadecimal)
    folder.beginSync(of: weight)
    try journal.append(record)
    return record
  }
}
