import DenseLinearAlgebra
import Pruning
import TestSupport
import Testing

@Suite("sparsegpt")
struct SparseGPTTests {
  @Test("The upper factor of the inverse is one: Uᵀ U H = I")
  func upperFactor() throws {
    try forEachCase(seed: 51, cases: 20) { generator, _ in
      let order = generator.integer(in: 1...40)
      let curvature = Matrix<Double>.randomSecondMoment(order: order, &generator)
      let factor = try curvature.copy().upperFactorOfInverse()
      let identity = product(product(factor, transposedA: true, factor), curvature)
      for row in 0..<order {
        for column in 0..<order {
          #expect(abs(identity[row, column] - (row == column ? 1 : 0)) < 1e-9)
          if column < row { #expect(factor[row, column] == 0) }
        }
      }
    }
  }

  /// Optimal brain surgeon from left to right, every inverse written out: the slow road.
  private func surgeon(
    _ weights: [[Double]], _ curvature: [[Double]], chosen: (_ row: [Double], Int) -> Set<Int>
  ) -> [[Double]] {
    let inputs = curvature.count
    return weights.map { row in
      var row = row
      for column in 0..<inputs where chosen(row, column).contains(column) {
        let later = Array(column..<inputs)
        let inverse = inverted(later.map { i in later.map { curvature[i][$0] } })
        let error = row[column] / inverse[0][0]
        for (offset, other) in later.enumerated() { row[other] -= error * inverse[0][offset] }
        row[column] = 0
      }
      return row
    }
  }

  /// By Gauss-Jordan with pivots.
  private func inverted(_ matrix: [[Double]]) -> [[Double]] {
    let order = matrix.count
    var work = matrix.enumerated().map { row, values in
      values + (0..<order).map { $0 == row ? 1.0 : 0 }
    }
    for pivot in 0..<order {
      let best = (pivot..<order).max { abs(work[$0][pivot]) < abs(work[$1][pivot]) } ?? pivot
      work.swapAt(pivot, best)
      let scale = work[pivot][pivot]
      work[pivot] = work[pivot].map { $0 / scale }
      for row in 0..<order where row != pivot {
        let factor = work[row][pivot]
        for column in 0..<2 * order { work[row][column] -= factor * work[pivot][column] }
      }
    }
    return work.map { Array($0[order...]) }
  }

  @Test("Exact counts and N:M agree with the surgeon that writes every inverse out")
  func againstSurgeon() throws {
    try forEachCase(seed: 52, cases: 20) { generator, number in
      let (outputs, inputs) = (generator.integer(in: 1...5), generator.integer(in: 4...12))
      let moments = Matrix<Double>.randomSecondMoment(order: inputs, &generator)
      var weights = Matrix<Double>(
        rows: outputs, columns: inputs,
        elements: (0..<outputs * inputs).map { _ in generator.normal() })
      let before = (0..<outputs).map { row in (0..<inputs).map { weights[row, $0] } }
      var damped = (0..<inputs).map { row in (0..<inputs).map { moments[row, $0] } }
      for index in 0..<inputs { damped[index][index] += 0.01 * moments.trace / Double(inputs) }
      // U_jj² is the first element of the inverse over the columns from j on.
      let squares = (0..<inputs).map { first in
        inverted((first..<inputs).map { i in (first..<inputs).map { damped[i][$0] } })[0][0]
      }
      func cost(_ row: [Double], _ column: Int) -> Double {
        row[column] * row[column] / squares[column]
      }
      let surgeon: [[Double]]
      let pruner = try SparseGPT(activations: moments.copy(), inputs: inputs)
      if number.isMultiple(of: 2) {
        let count = generator.integer(in: 0...outputs * inputs)
        let order = (0..<outputs * inputs).sorted {
          cost(before[$0 / inputs], $0 % inputs) < cost(before[$1 / inputs], $1 % inputs)
        }
        let gone = Set(order.prefix(count))
        surgeon = before.enumerated().map { row, values in
          self.surgeon([values], damped) { _, _ in
            Set((0..<inputs).filter { gone.contains(row * inputs + $0) })
          }[0]
        }
        pruner.prune(&weights, count: count)
      } else {
        let pattern = try #require(RemovalPattern("2:4"))
        var marked: Set<Int> = []
        surgeon = self.surgeon(before, damped) { row, column in
          if column % 4 == 0 {
            marked = []
            if column + 4 <= inputs {
              let group = (column..<column + 4).sorted { cost(row, $0) < cost(row, $1) }
              marked = Set(group.prefix(2))
            }
          }
          return marked
        }
        pruner.prune(&weights, pattern: pattern)
      }
      for row in 0..<outputs {
        for column in 0..<inputs {
          let (own, other) = (weights[row, column], surgeon[row][column])
          #expect((own == 0) == (other == 0))
          #expect(abs(own - other) < 1e-9 * (1 + abs(other)))
        }
      }
    }
  }

  @Test("Over several blocks the count is exact and the outputs stay closer than with a mask alone")
  func closerThanMask() throws {
    try forEachCase(seed: 53, cases: 4) { generator, _ in
      let (outputs, inputs) = (24, 300)
      let moments = Matrix<Double>.randomSecondMoment(order: inputs, rank: 100, &generator)
      let before = Matrix<Double>(
        rows: outputs, columns: inputs,
        elements: (0..<outputs * inputs).map { _ in generator.normal() })
      let count = generator.integer(in: 1000...outputs * inputs - 1000)
      var after = before.copy()
      try SparseGPT(activations: moments.copy(), inputs: inputs).prune(&after, count: count)
      let mask = after.elements().map { $0 == 0 }
      #expect(mask.count { $0 } == count)
      var masked = before.copy()
      masked.withMutableSpan { span in
        for index in 0..<span.count where mask[index] { span[index] = 0 }
      }
      #expect(damage(before, after, moments) < damage(before, masked, moments))
    }
  }

  @Test(
    "N:M holds over several blocks, also where M does not divide 128",
    arguments: ["1:3", "2:4", "5:7"])
  func patternsOverBlocks(text: String) throws {
    let pattern = try #require(RemovalPattern(text))
    var generator = SeededGenerator(seed: 54)
    let (outputs, inputs) = (5, 300)
    let moments = Matrix<Double>.randomSecondMoment(order: inputs, rank: 100, &generator)
    let before = Matrix<Double>(
      rows: outputs, columns: inputs,
      elements: (0..<outputs * inputs).map { _ in generator.normal() })
    var after = before.copy()
    try SparseGPT(activations: moments.copy(), inputs: inputs).prune(&after, pattern: pattern)
    var masked = before.copy()
    for row in 0..<outputs {
      for column in 0..<inputs where after[row, column] == 0 { masked[row, column] = 0 }
      for first in stride(from: 0, through: inputs - pattern.group, by: pattern.group) {
        let zeros = (first..<first + pattern.group).count { after[row, $0] == 0 }
        #expect(zeros == pattern.removed)
      }
      for column in inputs / pattern.group * pattern.group..<inputs {
        #expect(after[row, column] != 0)
      }
    }
    #expect(damage(before, after, moments) < damage(before, masked, moments))
  }

  /// tr(Δ A Δᵀ): the mean squared change of the outputs.
  private func damage(
    _ before: borrowing Matrix<Double>, _ after: borrowing Matrix<Double>,
    _ moments: borrowing Matrix<Double>
  ) -> Double {
    let changes = zip(before.elements(), after.elements()).map { $0 - $1 }
    let change = Matrix<Double>(rows: before.rows, columns: before.columns, elements: changes)
    return zip(product(change, moments).elements(), changes).reduce(0) { $0 + $1.0 * $1.1 }
  }
}

extension Matrix<Double> {
  /// X Xᵀ/rank + 0.01 I for normal X [order, rank], exactly symmetric.
  static func randomSecondMoment(
    order: Int, rank: Int? = nil, _ generator: inout SeededGenerator
  ) -> Matrix {
    let rank = rank ?? order + 3
    let samples = Matrix(
      rows: order, columns: rank,
      elements: (0..<order * rank).map { _ in generator.normal() / Double(rank).squareRoot() })
    var moments = product(samples, samples, transposedB: true)
    _ = moments.symmetrize()
    moments.addToDiagonal(0.01)
    return moments
  }
}
