import Checkpoints
import Pruning
import TensorFiles
import TestSupport

/// A matrix of random weights with ties and zeros of both signs in it, as words of the type.
func randomWeights<Word: StoredWord>(
  _ type: ElementType, as word: Word.Type, outputs: Int, inputs: Int, isTransposed: Bool,
  _ generator: inout SeededGenerator
) -> StoredWeights<Word> {
  let values = (0..<outputs * inputs).map { _ -> Double in
    switch generator.integer(in: 0...9) {
    case 0: return 0
    case 1: return generator.integer(in: 0...1) == 0 ? 0.5 : -0.5
    default: return generator.normal()
    }
  }
  let words = values.map { value -> Word in
    let sign: Word = value == 0 && generator.integer(in: 0...1) == 0 ? 1 << (Word.bitWidth - 1) : 0
    return Word.encoding(value, as: type) | sign
  }
  let place = ModuleWeight(
    name: "m", outputs: outputs, inputs: inputs, elementType: type, isTransposed: isTransposed,
    blocks: [.init(tensor: "m.weight", firstElement: 0, elements: outputs * inputs)])
  return StoredWeights(place: place, words: words)
}

extension StoredWeights {
  /// W as numbers, row by row.
  var rows: [[Double]] {
    (0..<place.outputs).map { row in
      (0..<place.inputs).map { column in
        words[place.position(row: row, column: column)].decoded(as: place.elementType)
      }
    }
  }
}
