
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
/// - Complexity: three branch-free passes over a row, and an ordering of some percent of it.
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
  private var keys: [UInt64] = []
  /// What rows were cut at lately, over their mean products; 0 before the first.
  private var relativeCut: Float = 0
  /// How far rows lately were from it, relative to it.
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
    inside = [Int32](repeating: 0, count: place.inputs + 1)
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
    multiply(words.span, start)
    let mean = Self.sum(products) / Float(place.inputs)
    relativeCut = Float(Double(bitPattern: cut.key - 1) / unit) / mean
  }

  /// The bracket for the next row: wide enough for nearly all, since a miss costs more than some keys.
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
    multiply(words.span, start)
    let mean = Self.sum(products) / Float(place.inputs)
    let guess = relativeCut * mean
    var width = max(4 * deviation, 0x1p-10)
    for _ in 0..<4 {
      let (low, high) = (guess * (1 - width), guess * (1 + width))
      // Far from where products round to 0 or leave the type.
      guard low > 1e-30, high < 1e30 else { return false }
      let (below, noted) = Self.count(products, from: low, to: high, noting: &inside)
      let wanted = removed - below
      if wanted >= 1, wanted <= noted,
        let cut = cut(wanted, of: noted, low, high)
      {
        Self.clear(&words, start, products, below: low)
        remove(noted, cut, &words, start)
        learn(cut.key, mean: mean)
        return true
      }
      width = min(width * 2, 0.5)
    }
    return false
  }

  /// The products of a row.
  private mutating func multiply(_ words: Span<Word>, _ start: Int) {
    let bytes = unsafe words.extracting(start..<start + place.inputs).bytes
    let type = place.elementType
    var places = values.mutableSpan
    Float.decode(bytes, of: type, into: &places, from: 0)
    Self.multiply(values, scales, &products)
  }

  private static func multiply(
    _ row: [Float], _ all: [Float], _ products: inout [Float]
  ) {
    precondition(row.count == all.count && products.count == row.count)
    let (values, scales) = (row.span, all.span)
    var places = products.mutableSpan
    for index in 0..<values.count {
      unsafe places[unchecked: index] =
        values[unchecked: index].magnitude * scales[unchecked: index]
    }
  }

  /// In eight lanes: the order of additions is the same everywhere.
  private static func sum(_ row: [Float]) -> Float {
    let products = row.span
    var lanes = SIMD8<Float>()
    let whole = products.count / 8 * 8
    for first in stride(from: 0, to: whole, by: 8) {
      var next = SIMD8<Float>()
      for lane in 0..<8 { next[lane] = unsafe products[unchecked: first + lane] }
      lanes += next
    }
    var sum = lanes.sum()
    for index in whole..<products.count { sum += products[index] }
    return sum
  }

  /// How many products lie below `low`; the columns of those from `low` to `high` are noted.
  ///
  /// Bits of numbers of one sign are ordered as the numbers, so differences have the sign of an order.
  private static func count(
    _ row: [Float], from low: Float, to high: Float, noting inside: inout [Int32]
  ) -> (below: Int, noted: Int) {
    let products = row.span
    let first = Int32(bitPattern: low.bitPattern)
    var below: Int32 = 0
    for index in 0..<products.count {
      below &-= (Int32(bitPattern: unsafe products[unchecked: index].bitPattern) &- first) &>> 31
    }
    // Every column is stored, and the next one over it unless it is inside: a branch would be guessed
    // wrong too often. One comparison for both ends, since a negative difference is a large number.
    var columns = inside.mutableSpan
    precondition(columns.count > products.count)
    let length = UInt32(bitPattern: Int32(bitPattern: high.bitPattern) &- first)
    var noted = 0
    for index in 0..<products.count {
      let offset = unsafe products[unchecked: index].bitPattern &- low.bitPattern
      unsafe columns[unchecked: noted] = Int32(truncatingIfNeeded: index)
      noted &+= offset <= length ? 1 : 0
    }
    return (Int(below), noted)
  }

  /// The `wanted`-th smallest exact key of those noted, and how many of its equals go; nil where it lies so
  /// near to the bracket's ends that a weight outside, whose product was rounded, might be meant.
  private mutating func cut(
    _ wanted: Int, of noted: Int, _ low: Float, _ high: Float
  ) -> (key: UInt64, ties: Int)? {
    keys.removeAll(keepingCapacity: true)
    for index in 0..<noted {
      let column = Int(inside[index])
      keys.append(measure.key(Double(values[column]), column: column))
    }
    var ordered = keys
    let key = Self.select(wanted - 1, of: &ordered)
    let exact = key > 0 ? Double(bitPattern: key - 1) / unit : 0
    // Scale and product are rounded to single precision once each.
    guard exact > Double(low) * (1 + 0x1p-21), exact < Double(high) * (1 - 0x1p-21) else {
      return nil
    }
    var smaller = 0
    for other in keys where other < key { smaller += 1 }
    return (key, wanted - smaller)
  }

  /// The element of rank `rank`, from 0, by partitioning around a median of three.
  private static func select(_ rank: Int, of keys: inout [UInt64]) -> UInt64 {
    var (first, last) = (0, keys.count - 1)
    while first < last {
      let middle = keys[(first + last) / 2]
      let pivot = max(min(keys[first], keys[last]), min(max(keys[first], keys[last]), middle))
      var (left, right) = (first, last)
      while left <= right {
        while keys[left] < pivot { left += 1 }
        while keys[right] > pivot { right -= 1 }
        if left <= right {
          keys.swapAt(left, right)
          left += 1
          right -= 1
        }
      }
      if rank <= right {
        last = right
      } else if rank >= left {
        first = left
      } else {
        return keys[rank]
      }
    }
    return keys[first]
  }

  /// Sets to +0 every word whose product is below `low`; zeros stay as they are.
  private static func clear(
    _ words: inout MutableSpan<Word>, _ start: Int, _ row: [Float], below low: Float
  ) {
    let products = row.span
    for index in 0..<products.count {
      let word = unsafe words[unchecked: start &+ index]
      let stays = unsafe products[unchecked: index] >= low || word & (Word.max >> 1) == 0
      unsafe words[unchecked: start &+ index] = word & (stays ? .max : 0)
    }
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
