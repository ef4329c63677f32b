internal import CVectorLoops

/// The products of a reduction to a band and of carrying rows through its reflectors, by loops of our own (CVectorLoops,
/// panels.c): their bits depend on nothing but the numbers, so they take the widest vectors that the processor has,
/// whatever BLAS takes.
enum BandLoops {
  /// Off-diagonals of a band that they are made for.
  static let width = 32

  /// Whether they are the faster way: with FMA, and on one thread.
  static func areFaster(width: Int) -> Bool {
    width == Self.width && BLASThreads.current == 1 && InstructionSet.hasFusedProducts
  }

  /// Y := A X for X and Y [order, 32], A by its upper triangle, rows `rowLength` apart. 64 order² flops.
  static func multiply(
    _ a: UnsafePointer<Double>, _ order: Int, _ rowLength: Int, by x: UnsafePointer<Double>,
    into y: UnsafeMutablePointer<Double>
  ) {
    unsafe cvec_multiply_symmetric(a, order, rowLength, x, y)
  }

  /// A −= V Wᵀ + W Vᵀ in A's upper triangle, Vᵀ [32, order] with rows `rowLength` apart as A's, W [order, 32], with
  /// `memory` of ``elements(order:)``. 64 order² flops.
  static func subtractOuter(
    _ a: UnsafeMutablePointer<Double>, _ order: Int, _ rowLength: Int,
    _ v: UnsafePointer<Double>, _ w: UnsafePointer<Double>, _ memory: UnsafeMutablePointer<Double>
  ) {
    unsafe cvec_subtract_outer(a, order, rowLength, v, w, memory)
  }

  static func elements(order: Int) -> Int { cvec_outer_elements(order) }

  /// R := R − ((R Vᵀ) T) V on R's columns from `start` on, V [count, columns − start], T [count, count].
  ///
  /// - Returns: whether it was done: only for a `count` of whole bands.
  static func carry(
    _ rows: inout Matrix<Double>, from start: Int, _ reflectors: borrowing Matrix<Double>,
    _ factor: borrowing Matrix<Double>
  ) -> Bool {
    let (count, depth, height) = (reflectors.rows, reflectors.columns, rows.rows)
    let groups = Matrix<Double>(overwritten: height, by: count)
    let images = Matrix<Double>(overwritten: height, by: count)
    let memory = Matrix<Double>(
      overwritten: 1, by: cvec_product_elements(height, depth, count))
    guard count > 0, count % width == 0, let base = unsafe rows.storage.baseAddress,
      let v = unsafe reflectors.storage.baseAddress, let memory = unsafe memory.storage.baseAddress,
      let grouped = unsafe groups.storage.baseAddress,
      let target = unsafe images.storage.baseAddress
    else { return false }
    unsafe cvec_multiply_transposed(
      base + start, height, depth, rows.columns, v, count, grouped, memory)
    // From columns by bands to rows.
    for first in stride(from: 0, to: count, by: width) {
      for row in 0..<height {
        unsafe (target + row * count + first).update(
          from: grouped + first * height + row * width, count: width)
      }
    }
    let turned = product(images, factor)
    guard let shares = unsafe turned.storage.baseAddress else { return false }
    unsafe cvec_subtract_product(
      base + start, height, depth, rows.columns, shares, v, count, memory)
    return true
  }
}
