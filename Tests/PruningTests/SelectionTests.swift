import Checkpoints
import Foundation
import Pruning
import TensorFiles
import TestSupport
import Testing

@Suite("Which weights go")
struct SelectionTests {
  @Test(
    "Magnitude removes what a full sort would, and leaves every other bit", arguments: [16, 32, 64])
  func magnitude(width: Int) {
    forEachCase(seed: 41, cases: 60) { generator, _ in
      switch width {
      case 16:
        let type: ElementType = generator.integer(in: 0...1) == 0 ? .bfloat16 : .float16
        magnitudeLaw(type, UInt16.self, &generator)
      case 32: magnitudeLaw(.float32, UInt32.self, &generator)
      default: magnitudeLaw(.float64, UInt64.self, &generator)
      }
    }
  }

  private func magnitudeLaw<Word: StoredWord>(
    _ type: ElementType, _ word: Word.Type, _ generator: inout SeededGenerator
  ) {
    let (outputs, inputs) = (generator.integer(in: 1...9), generator.integer(in: 1...9))
    let before = randomWeights(
      type, as: word, outputs: outputs, inputs: inputs,
      isTransposed: generator.integer(in: 0...1) == 0, &generator)
    let count = generator.integer(in: 0...before.words.count)
    let after = removingSmallest(count, of: before, &generator)

    let values = before.rows.joined().map { abs($0) }
    let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    let gone = Set(order.prefix(count))
    #expect(after.zeros == max(count, before.zeros))
    for row in 0..<outputs {
      for column in 0..<inputs {
        let position = before.place.position(row: row, column: column)
        let isGone = gone.contains(row * inputs + column)
        if isGone {
          #expect(after.words[position].magnitudeBits == 0)
        } else {
          #expect(after.words[position] == before.words[position])
        }
      }
    }
  }

  /// As apply does it: the words pass by in pieces of any length.
  private func removingSmallest<Word: StoredWord>(
    _ count: Int, of weights: StoredWeights<Word>, _ generator: inout SeededGenerator
  ) -> StoredWeights<Word> {
    var cut = MagnitudeCut<Word>(weights.place, count: count)
    let cuts = (0..<generator.integer(in: 0...4)).map { _ in
      generator.integer(in: 0...weights.words.count)
    }
    let bounds = [0, weights.words.count] + cuts
    let pieces = zip(bounds.sorted(), bounds.sorted().dropFirst()).map { $0..<$1 }
    while !cut.isFound {
      for piece in pieces { cut.look(at: Array(weights.words[piece]).span, from: piece.lowerBound) }
      cut.endPass()
    }
    #expect(!cut.sawNonFinite)
    var words: [Word] = []
    for piece in pieces {
      var own = Array(weights.words[piece])
      var span = own.mutableSpan
      cut.clear(&span, from: piece.lowerBound)
      words += own
    }
    return StoredWeights(place: weights.place, words: words)
  }

  @Test("A weight that is no number is seen in the first pass", arguments: [0, 7, 11])
  func nonFinite(position: Int) {
    for (type, wrong) in [(ElementType.bfloat16, 0x7F80), (.bfloat16, 0xFFC0), (.float16, 0xFC00)] {
      var generator = SeededGenerator(seed: 45)
      let weights = randomWeights(
        type, as: UInt16.self, outputs: 3, inputs: 4, isTransposed: false, &generator)
      var words = weights.words
      words[position] = UInt16(wrong)
      var cut = MagnitudeCut<UInt16>(weights.place, count: 5)
      cut.look(at: words.span, from: 0)
      cut.endPass()
      #expect(cut.sawNonFinite)
    }
  }

  @Test("Wanda removes the smallest of every row, rows alike to one, the count exact")
  func wanda() {
    forEachCase(seed: 42, cases: 100) { generator, _ in
      let (outputs, inputs) = (generator.integer(in: 1...7), generator.integer(in: 1...40))
      let before = randomWeights(
        .float32, as: UInt32.self, outputs: outputs, inputs: inputs,
        isTransposed: generator.integer(in: 0...1) == 0, &generator)
      let squares = (0..<inputs).map { _ in
        generator.integer(in: 0...4) == 0 ? 0 : generator.logNormal()
      }
      let count = generator.integer(in: 0...outputs * inputs)
      var after = before
      after.removeSmallestOfRows(count, by: .wanda(squares: squares))
      for (row, (old, new)) in zip(before.rows, after.rows).enumerated() {
        let removed = count / outputs + (row < count % outputs ? 1 : 0)
        let measure = old.indices.map { column -> (Bool, Double, Int) in
          let scale = squares.contains { $0 > 0 } ? squares[column].squareRoot() : 1
          return (old[column] != 0, abs(old[column]) * scale, column)
        }
        let order = old.indices.sorted {
          let (a, b) = (measure[$0], measure[$1])
          if a.0 != b.0 { return !a.0 }
          return (a.1, a.2) < (b.1, b.2)
        }
        let gone = Set(order.prefix(removed))
        for column in old.indices {
          #expect(new[column] == (gone.contains(column) ? 0 : old[column]))
        }
      }
    }
  }

  @Test("Rows cut while they pass by lose what the plain road takes, bit for bit, in any pieces")
  func rowCut() {
    forEachCase(seed: 46, cases: 120) { generator, number in
      switch number % 4 {
      case 0: rowCut(.bfloat16, as: UInt16.self, &generator)
      case 1: rowCut(.float16, as: UInt16.self, &generator)
      case 2: rowCut(.float32, as: UInt32.self, &generator)
      default: rowCut(.float64, as: UInt64.self, &generator)
      }
    }
  }

  private func rowCut<Word: StoredWord>(
    _ type: ElementType, as word: Word.Type, _ generator: inout SeededGenerator
  ) {
    let outputs = generator.integer(in: 1...30)
    let inputs = generator.integer(in: 0...1) == 0 ? generator.integer(in: 1...40) : 500
    let weights = randomWeights(
      type, as: word, outputs: outputs, inputs: inputs, isTransposed: false, &generator)
    // Scales alike, scales that differ, some 0, some beyond what single precision holds.
    let spread = [0.0, 1, 10, 300][generator.integer(in: 0...3)]
    let squares = (0..<inputs).map { _ in
      generator.integer(in: 0...9) == 0 ? 0 : pow(10, generator.uniform(in: -1...1) * spread)
    }
    let measure: WeightMeasure =
      generator.integer(in: 0...3) == 0 ? .magnitude : .wanda(squares: squares)
    let count = generator.integer(in: 0...outputs * inputs)
    var expected = weights
    expected.removeSmallestOfRows(count, by: measure)

    var cut = RowCut<Word>(weights.place, count: count, by: measure)
    var words: [Word] = []
    while words.count < weights.words.count {
      let row = words.count / inputs
      let last = min(row + generator.integer(in: 1...7), outputs)
      var own = Array(weights.words[row * inputs..<last * inputs])
      var span = own.mutableSpan
      cut.clear(&span, fromRow: row)
      words += own
    }
    #expect(words == expected.words, "\(type) \(outputs) \(inputs) \(count) \(spread)")
  }

  @Test(
    "N:M holds in every whole group, and the rest stays", arguments: ["2:4", "4:8", "1:3", "0:4"])
  func patterns(text: String) throws {
    let pattern = try #require(RemovalPattern(text))
    forEachCase(seed: 43, cases: 40) { generator, _ in
      let (outputs, inputs) = (generator.integer(in: 1...5), generator.integer(in: 1...30))
      let before = randomWeights(
        .bfloat16, as: UInt16.self, outputs: outputs, inputs: inputs,
        isTransposed: generator.integer(in: 0...1) == 0, &generator)
      var after = before
      after.remove(pattern, by: .magnitude)
      for (old, new) in zip(before.rows, after.rows) {
        let whole = inputs / pattern.group * pattern.group
        for first in stride(from: 0, to: whole, by: pattern.group) {
          let group = first..<first + pattern.group
          let zeros = group.count { new[$0] == 0 }
          #expect(zeros == max(pattern.removed, group.count { old[$0] == 0 }))
          let kept = group.filter { new[$0] != 0 }.map { abs(old[$0]) }.min() ?? .infinity
          let lost = group.filter { new[$0] == 0 }.map { abs(old[$0]) }.max() ?? 0
          #expect(lost <= kept)
        }
        #expect(Array(new[whole...]) == Array(old[whole...]))
      }
    }
    for wrong in ["", "2", "5:4", "-1:4", "2:0", "2:65", "a:b", "2:4:8"] {
      #expect(RemovalPattern(wrong) == nil, "\(wrong)")
    }
  }

  @Test("A unit's count is spread by size, or by one threshold as a full sort would")
  func spread() {
    forEachCase(seed: 44, cases: 100) { generator, _ in
      let modules = (0..<generator.integer(in: 1...5)).map { _ in
        (0..<generator.integer(in: 1...30)).map { _ in
          // Few different keys, so that there are ties, some of them large.
          UInt64(generator.integer(in: 0...12)) * 0x0123_4567_89AB_CDEF
        }
      }
      let sizes = modules.map(\.count)
      let total = sizes.reduce(0, +)
      let count = generator.integer(in: 0...total)
      let even = CountSpread.uniform(count, over: sizes)
      #expect(even.reduce(0, +) == count)
      for (own, size) in zip(even, sizes) {
        #expect(abs(Double(own) - Double(count) * Double(size) / Double(total)) < 1 && own <= size)
      }
      let counts = CountSpread.byThreshold(count, modules: modules.count) { module, body in
        for key in modules[module] { body(key) }
      }
      let all = modules.enumerated().flatMap { module, keys in keys.map { ($0, module) } }
      var expected = [Int](repeating: 0, count: modules.count)
      for (_, module) in all.sorted(by: <).prefix(count) { expected[module] += 1 }
      #expect(counts == expected)
    }
  }
}
