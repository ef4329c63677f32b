public import Checkpoints
public import TensorFiles

/// Weights of small measure removed from row after row while they pass by: wanda's selection.
///
/// The same weights go as with ``StoredWeights/removeSmallestOfRows(_:by:)``, which is the plain road:
/// `count` in all, rows alike but for the first `count` mod outputs, which lose one more; ties within a
/// row go to the lower column.
///
/// Rows of a matrix are cut at about the same multiple of their mean measure. So a bracket around the last
/// row's cut is laid on the next row: one pass in single precision counts what lies below it and notes
/// the few weights inside, and only those are ordered by their exact keys. A bracket that misses is
/// laid again, wider, and at last the plain road decides.
///
/// - Complexity: some branch-free passes over a row, and an ordering of a few percent of it.
public struct RowCut<Word: StoredWord>: Sendable {
  private let place: ModuleWeight
  private let count: Int
  private let measure: WeightMeasure
  /// The measure's scales over `unit`, so that they fit single precision; empty where they do not.
  private var scales: [Float] = []
  private let unit: Double

  private var values: [Float]
  /// |W_j| scale_j / unit, rounded.
  private var products: [Float]
  /// Columns inside the bracket.
  private var inside: [Int32]
  private var flags: [UInt8]
  private var keys: [UInt64] = []
  private var bins = [Int](repeating: 0, count: 128)
  /// What rows were cut at lately, over their mean products; 0 before the first.
  private var relativeCut: Float = 0
  /// How far rows were from it lately, relative to it.
  private var deviation: Float = 0.0125

  /// - Precondition: the matrix is stored row by row and 0 ≤ count ≤ its weights.
  public init(_ place: ModuleWeight, count: Int, by measure: WeightMeasure) {
    precondition(!place.isTransposed && count >= 0 && count <= place.count)
    self.place = place
    self.count = count
    self.measure = measure
    let all = measure.scales ?? [Double](repeating: 1, count: place.inputs)
    let largest = all.max() ?? 1
    let unit =
      largest.isNormal ? Double(sign: .plus, exponent: largest.exponent, significand: 1) : 1
    let relative = all.map { Float($0 / unit) }
    self.unit = unit
    // A scale that single precision cannot round to full length leaves all rows to the plain road.
    if place.elementType != .float64, largest.isNormal,
      zip(relative, all).allSatisfy({ $0.isNormal || $1 == 0 })
    {
      scales = relative
    }
    values = [Float](repeating: 0, count: place.inputs)
    products = [Float](repeating: 0, count: place.inputs)
    inside = [Int32](repeating: 0, count: place.inputs + 7)
    flags = [UInt8](repeating: 0, count: place.inputs + 7)
  }

  /// Sets the words of whole rows that go to +0, from row `first` on. Words that are 0 stay as they are.
  ///
  /// - Precondition: all words are finite.
  @specialized(where Word == UInt16)
  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  public mutating func clear(_ words: inout MutableSpan<Word>, fromRow first: Int) {
    let inputs = place.inputs
    precondition(inputs > 0 && words.count % inputs == 0)
    let (each, more) = count.quotientAndRemainder(dividingBy: max(place.outputs, 1))
    for row in 0..<words.count / inputs {
      let removed = each + (first + row < more ? 1 : 0)
      guard removed > 0 else { continue }
      let start = row * inputs
      if scales.isEmpty || !clearInBracket(&words, start, removed) {
        clearPlainly(&words, start, removed)
      }
    }
  }

  /// Orders all keys of the row by counting digits, as ``StoredWeights/removeSmallestOfRows(_:by:)``.
  @inline(never)
  private mutating func clearPlainly(
    _ words: inout MutableSpan<Word>, _ start: Int, _ removed: Int
  ) {
    keys.removeAll(keepingCapacity: true)
    for column in 0..<place.inputs {
      keys.append(
        measure.key(words[start + column].decoded(as: place.elementType), column: column))
    }
    let cut = SmallestWeights<UInt64>(removed, digit: 11) { body in for key in keys { body(key) } }
    var ties = cut.ties
    for column in 0..<place.inputs where keys[column] <= cut.key {
      if keys[column] == cut.key {
        guard ties > 0 else { continue }
        ties -= 1
      }
      if keys[column] > 0 { words[start + column] = 0 }
    }
    guard !scales.isEmpty, cut.key > 0 else { return }
    relativeCut = Float(Double(bitPattern: cut.key - 1) / unit) / multiply(words.span, start)
    deviation = 0.0125
  }

  /// The bracket for the next row.
  private mutating func learn(_ key: UInt64, mean: Float) {
    let found = Float(Double(bitPattern: key - 1) / unit) / mean
    deviation += ((found / relativeCut - 1).magnitude - deviation) / 16
    relativeCut += (found - relativeCut) / 8
  }

  /// The same where a bracket holds the cut; false, with nothing changed, where none does.
  private mutating func clearInBracket(
    _ words: inout MutableSpan<Word>, _ start: Int, _ removed: Int
  ) -> Bool {
    guard relativeCut.isNormal else { return false }
    let mean = multiply(words.span, start)
    let guess = relativeCut * mean
    // Wide enough for nearly every row: a miss costs more than some keys.
    var width = max(4 * deviation, 0x1p-10)
    for _ in 0..<4 {
      let (low, high) = (guess * (1 - width), guess * (1 + width))
      // Far from where products round to 0 or leave the type.
      guard low > 1e-30, high < 1e30 else { return false }
      let (below, noted) = Self.bracket(products, low, high, &flags, &inside)
      let wanted = removed - below
      if wanted >= 1, wanted <= noted,
        let cut = cut(wanted, of: noted, low, high)
      {
        let row = products
        Word.clear(&words, from: start, products: row.span, below: low)
        remove(noted, cut, &words, start)
        learn(cut.key, mean: mean)
        return true
      }
      width = min(width * 2, 0.5)
    }
    return false
  }

  /// Makes the products of a row; returns their mean.
  private mutating func multiply(_ words: Span<Word>, _ start: Int) -> Float {
    let bytes = unsafe words.extracting(start..<start + place.inputs).bytes
    let type = place.elementType
    var decoded = values.mutableSpan
    Float.decode(bytes, of: type, into: &decoded, from: 0)
    let (row, all) = (values, scales)
    var places = products.mutableSpan
    return ProductLoops.multiply(row.span, all.span, into: &places) / Float(place.inputs)
  }

  private static func bracket(
    _ row: [Float], _ low: Float, _ high: Float, _ marks: inout [UInt8], _ columns: inout [Int32]
  ) -> (below: Int, inside: Int) {
    var flags = marks.mutableSpan
    var positions = columns.mutableSpan
    return ProductLoops.bracket(
      row.span, from: low, to: high, flags: &flags, positions: &positions)
  }

  /// The `wanted`-th smallest exact key of those noted, and how many of its equals go; nil where it lies so
  /// near to the bracket's ends that a weight outside, whose product was rounded, might be meant.
  private mutating func cut(
    _ wanted: Int, of noted: Int, _ low: Float, _ high: Float
  ) -> (key: UInt64, ties: Int)? {
    keys.removeAll(keepingCapacity: true)
    var (least, most) = (UInt64.max, UInt64.min)
    for index in 0..<noted {
      let column = Int(inside[index])
      let key = measure.key(Double(values[column]), column: column)
      (least, most) = (min(least, key), max(most, key))
      keys.append(key)
    }
    // Keys within a bracket are spread evenly, so a bin of 128 holds a few, and only those are sorted.
    let shift = UInt64(max(64 - 7 - (most - least).leadingZeroBitCount, 0))
    for bin in bins.indices { bins[bin] = 0 }
    for key in keys { bins[Int(truncatingIfNeeded: (key - least) >> shift)] += 1 }
    var (bin, rank) = (0, wanted)
    while rank > bins[bin] {
      rank -= bins[bin]
      bin += 1
    }
    var few: [UInt64] = []
    for key in keys where Int(truncatingIfNeeded: (key - least) >> shift) == bin { few.append(key) }
    few.sort()
    let key = few[rank - 1]
    let exact = key > 0 ? Double(bitPattern: key - 1) / unit : 0
    // Scale and product are rounded to single precision once each.
    guard exact > Double(low) * (1 + 0x1p-21), exact < Double(high) * (1 - 0x1p-21) else {
      return nil
    }
    // Those of the bin that are smaller all go too.
    return (key, rank - (few.firstIndex(of: key) ?? 0))
  }

  private func remove(
    _ noted: Int, _ cut: (key: UInt64, ties: Int), _ words: inout MutableSpan<Word>, _ start: Int
  ) {
    var ties = cut.ties
    for index in 0..<noted where keys[index] <= cut.key {
      if keys[index] == cut.key {
        guard ties > 0 else { continue }
        ties -= 1
      }
      words[start + Int(inside[index])] = 0
    }
  }
}
