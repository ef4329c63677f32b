public import Checkpoints
internal import DenseLinearAlgebra
public import TensorFiles

/// A matrix W [outputs, inputs] as the words it is stored in.
///
/// `Word` is as wide as the type: what is not pruned is given back bit by bit.
public struct StoredWeights<Word: StoredWord>: Sendable {
  public let place: ModuleWeight
  /// In the stored order.
  public private(set) var words: [Word]

  /// - Precondition: one word per weight.
  public init(place: ModuleWeight, words: [Word]) {
    precondition(words.count == place.count)
    self.place = place
    self.words = words
  }

  /// Weights that are +0 or −0.
  public var zeros: Int { Word.zeroCount(in: words.span) }

  /// Position of the first nan or infinity in the stored order.
  public var firstNonFinite: Int? {
    Self.first(from: Word.infinity(of: place.elementType), among: words)
  }

  @specialized(where Word == UInt16)
  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  private static func first(from limit: Word, among words: [Word]) -> Int? {
    for index in words.indices where words[index].magnitudeBits >= limit { return index }
    return nil
  }

  @inline(__always)
  func value(row: Int, column: Int) -> Double {
    words[place.position(row: row, column: column)].decoded(as: place.elementType)
  }

  @inline(__always)
  mutating func remove(row: Int, column: Int) {
    words[place.position(row: row, column: column)] = 0
  }

  mutating func set(_ value: Double, row: Int, column: Int) {
    words[place.position(row: row, column: column)] = Word.encoding(value, as: place.elementType)
  }

  /// Calls `body` with the key of every weight, row by row.
  @specialized(where Word == UInt16)
  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  public func forEachKey(_ measure: WeightMeasure, _ body: (UInt64) -> Void) {
    for row in 0..<place.outputs {
      for column in 0..<place.inputs {
        body(measure.key(value(row: row, column: column), column: column))
      }
    }
  }
}

extension StoredWeights {
  /// W [outputs, inputs] as numbers.
  func matrix<Element: LinearAlgebraElement>(as type: Element.Type) -> Matrix<Element> {
    Matrix(rows: place.outputs, columns: place.inputs) { span in
      for row in 0..<place.outputs {
        for column in 0..<place.inputs {
          span[row * place.inputs + column] = Element(value(row: row, column: column))
        }
      }
    }
  }

  /// Puts numbers in place of the words, each rounded to the stored type.
  mutating func replace<Element: LinearAlgebraElement>(by matrix: borrowing Matrix<Element>) {
    guard place.isTransposed else {
      let type = place.elementType
      var stored = words.mutableSpan
      matrix.withSpan { Word.encode($0, as: type, into: &stored) }
      return
    }
    for row in 0..<place.outputs {
      for column in 0..<place.inputs {
        set(Double(matrix[row, column]), row: row, column: column)
      }
    }
  }
}
