public import Checkpoints
public import TensorFiles

/// The `count` weights of smallest magnitude of one module, found and removed while its words pass by.
///
/// Counts on the bits of the words: one pass finds the cut of a 16-bit type, two that of F32, four that
/// of F64, and a last one removes. Nothing is sorted and no module is held in memory. Ties go in the
/// order of W, row by row; of a matrix stored [inputs, outputs] one pass more finds out which they are.
///
///     while !cut.isFound { for piece in module { cut.look(at: piece) }; cut.endPass() }
///     for piece in module { cut.clear(&piece) }
public struct MagnitudeCut<Word: StoredWord>: Sendable {
  private let place: ModuleWeight
  private var search: DigitSearch<Word>
  private var histogram = [Int](repeating: 0, count: 1 << 16)
  /// Of a matrix stored [inputs, outputs]: weights at the cut that each row has, then how many of them go.
  private var tiesOfRows: [Int] = []
  /// Weights at the cut that are still to be removed.
  private var ties = 0
  private var stage = Stage.digits
  /// Whether any word seen is nan or infinite.
  public private(set) var sawNonFinite = false
  /// Words seen that are 0, of either sign; after the first pass.
  public private(set) var zeros = 0

  private enum Stage { case digits, ties, found }

  /// - Precondition: 0 ≤ count ≤ the module's weights.
  public init(_ place: ModuleWeight, count: Int) {
    precondition(count >= 0 && count <= place.count)
    self.place = place
    search = DigitSearch(count, digit: 16)
  }

  /// Whether ``clear(_:from:)`` may begin; at least one pass is always needed.
  public var isFound: Bool { stage == .found }

  /// Takes the words from stored position `first` on, all pieces of the module once in each pass.
  @specialized(where Word == UInt16)
  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  public mutating func look(at words: Span<Word>, from first: Int) {
    if stage == .digits {
      // The one digit of a 16-bit word tells its zeros too.
      if Word.bitWidth > 16, search.isFirst { zeros += Word.zeroCount(in: words) }
      Word.countDigits(of: words, at: search.shift, under: search.prefix, into: &histogram)
      return
    }
    for index in 0..<words.count where words[index].magnitudeBits == search.prefix {
      tiesOfRows[(first + index) % place.outputs] += 1
    }
  }

  /// Ends a pass over all of the module.
  public mutating func endPass() {
    switch stage {
    case .digits:
      if search.isFirst {
        // The second set of bins joins the first.
        for bin in 0..<1 << 15 {
          histogram[bin] += histogram[bin + 1 << 15]
          histogram[bin + 1 << 15] = 0
        }
        if Word.bitWidth == 16 { zeros = histogram[0] }
        let limit = Word.infinity(of: place.elementType) >> Word(search.shift)
        sawNonFinite = histogram[Int(limit)...].contains { $0 > 0 }
      }
      search.narrow(by: histogram)
      for bin in histogram.indices { histogram[bin] = 0 }
      guard search.isDone else { return }
      // Weights that are 0 already stay as they are, signs included.
      ties = search.prefix > 0 ? search.remaining : 0
      stage = place.isTransposed && ties > 0 ? .ties : .found
      if stage == .ties { tiesOfRows = [Int](repeating: 0, count: place.outputs) }
    case .ties:
      for row in tiesOfRows.indices {
        tiesOfRows[row] = min(tiesOfRows[row], ties)
        ties -= tiesOfRows[row]
      }
      stage = .found
    case .found:
      preconditionFailure("the cut is found")
    }
  }

  /// Sets the words that go to +0; pieces must come in the stored order.
  @specialized(where Word == UInt16)
  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  public mutating func clear(_ words: inout MutableSpan<Word>, from first: Int) {
    precondition(isFound)
    guard search.hasAny else { return }
    if tiesOfRows.isEmpty {
      let here = ties > 0 ? Word.count(of: search.prefix, in: words.span) : 0
      if here <= ties {
        // All that lie at the cut go, or none is left to go.
        Word.clear(&words, below: here > 0 ? search.prefix + 1 : search.prefix)
        ties -= here
        return
      }
    }
    Word.clear(&words, below: search.prefix)
    for index in 0..<words.count where words[index].magnitudeBits == search.prefix {
      guard takesTie(at: first + index) else { continue }
      words[index] = 0
    }
  }

  private mutating func takesTie(at position: Int) -> Bool {
    if tiesOfRows.isEmpty {
      guard ties > 0 else { return false }
      ties -= 1
    } else {
      let row = position % place.outputs
      guard tiesOfRows[row] > 0 else { return false }
      tiesOfRows[row] -= 1
    }
    return true
  }
}
