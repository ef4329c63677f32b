/// Cholesky factorizations of four shifted band matrices side by side, one per lane, each with its
/// right-hand side: of the factors only as many rows are kept as the band is wide.
///
/// Row i of L has its elements at columns i − width ... i one after the other, and zeros before them, so
/// that rows are multiplied without asking where they begin. Four rows are finished at a time; below
/// them the rows of the band get four new columns each, two rows by two columns in registers.
@safe struct BandWindow: ~Copyable {
  typealias Lanes = SIMD4<Double>
  static let lanes = 4
  /// Zeros before the elements of a row, for rows of a block that begin later.
  private static let lead = 4

  private let order: Int
  private let width: Int
  private let stride: Int
  private let capacity: Int
  /// [capacity] rows of L.
  private let factor: UnsafeMutableBufferPointer<Lanes>
  /// [order] elements of the four right-hand sides, solved from the top.
  private let solution: UnsafeMutableBufferPointer<Lanes>

  init(of band: SymmetricBand) {
    order = band.order
    width = band.width
    stride = width + 1 + Self.lead
    // Moving the kept rows to the front costs a quarter of one pass over them.
    capacity = 5 * (width + 4)
    unsafe factor = .allocate(capacity: capacity * stride)
    unsafe factor.initialize(repeating: Lanes())
    unsafe solution = .allocate(capacity: order)
    unsafe solution.initialize(repeating: Lanes())
  }

  deinit {
    unsafe factor.deallocate()
    unsafe solution.deallocate()
  }

  mutating func clear() { unsafe solution.update(repeating: Lanes()) }

  /// Takes rows `first` ... of R as right-hand sides; a lane without a row gets zeros.
  mutating func load(_ rows: borrowing Matrix<Double>, from first: Int, count: Int) {
    for lane in 0..<Self.lanes {
      let source = unsafe rows.storage.baseAddress.unsafelyUnwrapped + (first + lane) * order
      for index in 0..<order {
        var lanes = unsafe solution[index]
        lanes[lane] = unsafe lane < count ? source[index] : 0
        unsafe solution[index] = lanes
      }
    }
  }

  mutating func store(in rows: inout Matrix<Double>, from first: Int, count: Int) {
    for lane in 0..<count {
      let target = unsafe rows.storage.baseAddress.unsafelyUnwrapped + (first + lane) * order
      for index in 0..<order { unsafe target[index] = solution[index][lane] }
    }
  }

  /// Factorizes scales · B + shifts · I and solves with L in place of the right-hand sides.
  ///
  /// - Returns: per lane, how many leading minors were positive: `order` if the matrix is definite.
  mutating func factorize(
    _ band: SymmetricBand, scales: Lanes, shifts: Lanes
  ) -> SIMD4<Int64> {
    var positive = SIMD4<Int64>(repeating: Int64(order))
    // The row of L in slot 0, and one past the last that was begun.
    var (top, begun) = (0, 0)
    for first in Swift.stride(from: 0, to: order, by: 4) {
      let end = min(first + 4 + width, order)
      if end - top > capacity {
        unsafe factor.baseAddress.unsafelyUnwrapped.update(
          from: factor.baseAddress.unsafelyUnwrapped + (first - top) * stride,
          count: (begun - first) * stride)
        top = first
      }
      while begun < end {
        begin(row: begun, at: begun - top, band, scales: scales, shifts: shifts)
        begun += 1
      }
      let count = min(4, order - first)
      var inverses = Inverses()
      for index in 0..<count {
        let pivot = finish(row: first + index, at: first - top, index, &inverses)
        positive.replace(
          with: SIMD4(repeating: Int64(first + index)),
          where: .!(pivot .> 0) .& (positive .== SIMD4(repeating: Int64(order))))
      }
      if count == 4 { extend(first + 4..<end, block: first, top: top, inverses) }
    }
    return positive
  }

  /// 1/L_jj of the four rows of a block.
  private struct Inverses {
    var (first, second, third, fourth) = (Lanes(), Lanes(), Lanes(), Lanes())

    subscript(index: Int) -> Lanes {
      get { index == 0 ? first : index == 1 ? second : index == 2 ? third : fourth }
      set {
        switch index {
        case 0: first = newValue
        case 1: second = newValue
        case 2: third = newValue
        default: fourth = newValue
        }
      }
    }
  }

  /// The first element of the row in a slot, at column row − width.
  @inline(__always)
  private func row(_ slot: Int) -> UnsafeMutablePointer<Lanes> {
    unsafe factor.baseAddress.unsafelyUnwrapped + (slot * stride + Self.lead)
  }

  private func begin(
    row number: Int, at slot: Int, _ band: SymmetricBand, scales: Lanes, shifts: Lanes
  ) {
    let target = unsafe row(slot)
    for index in 1...Self.lead { unsafe target[-index] = Lanes() }
    let source = number * (width + 1)
    for index in 0...width { unsafe target[index] = scales * band.rows[source + index] }
    unsafe target[width] += shifts
  }

  /// Σ xₖ yₖ, the even and the odd terms apart.
  @inline(__always)
  private func dot(
    _ x: UnsafeMutablePointer<Lanes>, _ y: UnsafeMutablePointer<Lanes>, _ count: Int
  ) -> Lanes {
    var (even, odd) = (Lanes(), Lanes())
    var index = 0
    while index + 1 < count {
      unsafe even += x[index] * y[index]
      unsafe odd += x[index + 1] * y[index + 1]
      index += 2
    }
    if index < count { unsafe even += x[index] * y[index] }
    return even + odd
  }

  /// The last elements of a row, those of its block, and its element of the solution; the pivot.
  private func finish(
    row number: Int, at slot: Int, _ index: Int, _ inverses: inout Inverses
  ) -> Lanes {
    let this = unsafe row(slot + index)
    for column in 0..<index {
      let apart = index - column
      let other = unsafe row(slot + column)
      // A column that the band does not reach stays 0.
      guard apart <= width else { continue }
      let sum = unsafe dot(this, other + apart, width - apart)
      unsafe this[width - apart] = (this[width - apart] - sum) * inverses[column]
    }
    let pivot = unsafe this[width] - dot(this, this, width)
    let root = pivot.squareRoot()
    unsafe this[width] = root
    inverses[index] = 1 / root

    let reach = min(width, number)
    let sum = unsafe dot(
      this + (width - reach), solution.baseAddress.unsafelyUnwrapped + (number - reach), reach)
    unsafe solution[number] = (solution[number] - sum) * inverses[index]
    return pivot
  }

  /// The four columns of a block in the rows below it.
  private func extend(_ range: Range<Int>, block: Int, top: Int, _ inverses: Inverses) {
    var number = range.lowerBound
    while number + 1 < range.upperBound {
      unsafe extendPair(row(number - top), number - block, row(block - top), inverses)
      number += 2
    }
    if number < range.upperBound {
      unsafe extendOne(row(number - top), number - block, row(block - top), inverses)
    }
  }

  /// Two rows, `distance` and `distance` + 1 below the first of the block at `upper`.
  @inline(__always)
  private func extendPair(
    _ this: UnsafeMutablePointer<Lanes>, _ distance: Int, _ upper: UnsafeMutablePointer<Lanes>,
    _ inverses: Inverses
  ) {
    let next = unsafe this + stride
    let count = max(width - distance, 0)
    let (l, m) = unsafe (this + (width - distance), next + (width - distance - 1))
    let (p, q) = unsafe (upper + distance, upper + stride + (distance - 1))
    let (r, s) = unsafe (upper + 2 * stride + (distance - 2), upper + 3 * stride + (distance - 3))
    // 1. The first two columns.
    var (a, b, c, d) = (Lanes(), Lanes(), Lanes(), Lanes())
    for index in 0..<count {
      let (x, y) = unsafe (this[index], next[index - 1])
      let (v, w) = unsafe (p[index], q[index])
      a += x * v
      b += x * w
      c += y * v
      d += y * w
    }
    let second = unsafe upper[stride + width - 1]
    unsafe l[0] = (l[0] - a) * inverses.first
    unsafe m[0] = (m[0] - c) * inverses.first
    unsafe l[1] = (l[1] - b - l[0] * second) * inverses.second
    unsafe m[1] = (m[1] - d - m[0] * second) * inverses.second
    // 2. The other two.
    (a, b, c, d) = (Lanes(), Lanes(), Lanes(), Lanes())
    for index in 0..<count {
      let (x, y) = unsafe (this[index], next[index - 1])
      let (v, w) = unsafe (r[index], s[index])
      a += x * v
      b += x * w
      c += y * v
      d += y * w
    }
    let third = unsafe upper + (2 * stride + width - 2)
    let fourth = unsafe upper + (3 * stride + width - 3)
    unsafe l[2] = (l[2] - a - l[0] * third[0] - l[1] * third[1]) * inverses.third
    unsafe m[2] = (m[2] - c - m[0] * third[0] - m[1] * third[1]) * inverses.third
    unsafe l[3] =
      (l[3] - b - l[0] * fourth[0] - l[1] * fourth[1] - l[2] * fourth[2]) * inverses.fourth
    unsafe m[3] =
      (m[3] - d - m[0] * fourth[0] - m[1] * fourth[1] - m[2] * fourth[2]) * inverses.fourth
  }

  private func extendOne(
    _ this: UnsafeMutablePointer<Lanes>, _ distance: Int, _ upper: UnsafeMutablePointer<Lanes>,
    _ inverses: Inverses
  ) {
    let count = max(width - distance, 0)
    let l = unsafe this + (width - distance)
    for column in 0..<4 {
      let other = unsafe upper + column * stride
      var value = unsafe l[column] - dot(this, other + (distance - column), count)
      for earlier in 0..<column {
        unsafe value -= l[earlier] * other[width - column + earlier]
      }
      unsafe l[column] = value * inverses[column]
    }
  }
}
