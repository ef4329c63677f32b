public import DenseLinearAlgebra
public import TensorFiles

extension Checkpoint {
  /// Rows of W [outputs, inputs] as a matrix; every value is finite.
  ///
  /// - Throws: `file` naming tensor, index and value when one is not.
  /// - Complexity: O(rows · inputs); a matrix stored [inputs, outputs] is walked column by column.
  public func matrix<Element: LinearAlgebraElement & DecodedElement>(
    of weight: ModuleWeight, rows: Range<Int>, as type: Element.Type
  ) throws(CheckpointError) -> Matrix<Element> {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= weight.outputs)
    do throws(TensorFileError) {
      return weight.isTransposed
        ? try transposedRows(of: weight, rows, as: type) : try plainRows(of: weight, rows, as: type)
    } catch {
      throw .file(error)
    }
  }

  /// The whole matrix W [outputs, inputs].
  public func matrix<Element: LinearAlgebraElement & DecodedElement>(
    of weight: ModuleWeight, as type: Element.Type
  ) throws(CheckpointError) -> Matrix<Element> {
    try matrix(of: weight, rows: 0..<weight.outputs, as: type)
  }

  private func plainRows<Element: LinearAlgebraElement & DecodedElement>(
    of weight: ModuleWeight, _ rows: Range<Int>, as type: Element.Type
  ) throws(TensorFileError) -> Matrix<Element> {
    if weight.blocks.count == 1 {
      let first = weight.blocks[0].firstElement
      return try Matrix<Element>(rows: rows.count, columns: weight.inputs) {
        span throws(TensorFileError) in
        try tensors.readFinite(
          weight.blocks[0].tensor,
          elements: first + rows.lowerBound * weight.inputs..<first + rows.upperBound
            * weight.inputs, into: &span)
      }
    }
    let wanted = rows.lowerBound * weight.inputs..<rows.upperBound * weight.inputs
    return try Matrix<Element>(rows: rows.count, columns: weight.inputs) {
      span throws(TensorFileError) in
      var blockStart = 0
      for block in weight.blocks {
        let part = wanted.clamped(to: blockStart..<blockStart + block.elements)
        if !part.isEmpty {
          let first = block.firstElement + part.lowerBound - blockStart
          let target = part.lowerBound - wanted.lowerBound
          var values = [Element](repeating: 0, count: part.count)
          var place = values.mutableSpan
          try tensors.readFinite(
            block.tensor, elements: first..<first + part.count, into: &place)
          for index in values.indices { span[target + index] = values[index] }
        }
        blockStart += block.elements
      }
    }
  }

  private func transposedRows<Element: LinearAlgebraElement & DecodedElement>(
    of weight: ModuleWeight, _ rows: Range<Int>, as type: Element.Type
  ) throws(TensorFileError) -> Matrix<Element> {
    let block = weight.blocks[0]
    var stored = [Element](repeating: 0, count: rows.count)
    return try Matrix<Element>(rows: rows.count, columns: weight.inputs) {
      span throws(TensorFileError) in
      for column in 0..<weight.inputs {
        let first = block.firstElement + column * weight.outputs + rows.lowerBound
        var place = stored.mutableSpan
        try tensors.readFinite(block.tensor, elements: first..<first + rows.count, into: &place)
        for row in 0..<rows.count { span[row * weight.inputs + column] = stored[row] }
      }
    }
  }

  /// The weights as stored, in the stored order; see ``ModuleWeight/position(row:column:)``.
  ///
  /// - Precondition: `Word` is as wide as the weights' type.
  public func words<Word: StoredWord>(
    of weight: ModuleWeight, as type: Word.Type
  ) throws(CheckpointError) -> [Word] {
    do throws(TensorFileError) {
      return try Self.words(of: weight, in: tensors, as: type)
    } catch {
      throw .file(error)
    }
  }

  /// The same from another folder with the same tensors: a pruned one.
  public static func words<Word: StoredWord>(
    of weight: ModuleWeight, in tensors: TensorCollection, as type: Word.Type
  ) throws(TensorFileError) -> [Word] {
    var words: [Word] = []
    for block in weight.blocks {
      var part = [Word](repeating: 0, count: block.elements)
      var place = part.mutableSpan
      try tensors.readWords(
        block.tensor, elements: block.firstElement..<block.firstElement + block.elements,
        into: &place)
      if weight.blocks.count == 1 { return part }
      words += part
    }
    return words
  }

  /// Where the blocks' bytes are: file number, first byte in that file, and the elements they hold by
  /// their stored order.
  public func places(
    of weight: ModuleWeight
  ) -> [(file: Int, byteOffset: Int, elements: Range<Int>)] {
    let width = weight.elementType.bitWidth / 8
    var first = 0
    return weight.blocks.map { block in
      let (file, offset) = tensors.place(of: block.tensor)
      defer { first += block.elements }
      return (file, offset + block.firstElement * width, first..<first + block.elements)
    }
  }
}
