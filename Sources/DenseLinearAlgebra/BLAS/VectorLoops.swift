internal import CVectorLoops

/// The loops of one precision that are written in C (CVectorLoops says why), behind row-major Swift signatures.
///
/// Opaque outside this room, as ``BLASKernels``. Their bits depend on nothing but the numbers, whatever the processor.
@safe public struct VectorLoops<Element>: Sendable {
  /// Whether A [order, order] equals its transpose bit by bit. One reading, up to the first tiles that differ.
  let isSymmetric: @Sendable (_ a: UnsafePointer<Element>, _ order: Int) -> Bool

  /// Σ aᵢ bᵢ in Float64, in the order of FixedOrderSums.swift.
  let dot:
    @Sendable (_ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, _ count: Int) -> Double

  /// Σ aᵢⱼ² and the largest Σⱼ |aᵢⱼ| of A [rows, columns], columns a multiple of 8; in Float64, in the same order.
  let norms:
    @Sendable (_ a: UnsafePointer<Element>, _ rows: Int, _ columns: Int) -> (
      sumOfSquares: Double, largestRowSum: Double
    )

  /// x := (L Lᵀ)⁻¹ x with Lᵀ in the upper triangle of `factor` [order, order], and the same of `second`; elements
  /// before `first` are 0. 2 order² flops per vector, each element of the factor read once per way for both.
  let solveVectors:
    @Sendable (
      _ factor: UnsafePointer<Element>, _ order: Int, _ x: UnsafeMutablePointer<Element>,
      _ second: UnsafeMutablePointer<Element>?, _ first: Int
    ) -> Void

  /// Replaces the upper triangle of a block [count, count], rows `rowLength` apart, by its factor's; the first row
  /// whose pivot is not above 0, or `count`.
  let factorizeBlock:
    @Sendable (_ a: UnsafeMutablePointer<Element>, _ count: Int, _ rowLength: Int) -> Int

  /// The inverse of a block's upper triangle, to rows of `width` zeros.
  let invertBlock:
    @Sendable (
      _ a: UnsafePointer<Element>, _ count: Int, _ rowLength: Int,
      _ inverse: UnsafeMutablePointer<Element>, _ width: Int
    ) -> Void

  /// The same as ``factorizeBlock`` for a whole matrix, with `memory` of ``panelElements``(order), by vectors of
  /// 64 bytes (`isWide`) or of 32.
  let factorizeByPanels:
    @Sendable (
      _ a: UnsafeMutablePointer<Element>, _ order: Int, _ isWide: Bool,
      _ memory: UnsafeMutablePointer<Element>
    ) -> Int

  /// The elements of a memory for an order, or for so many columns of right-hand sides.
  let panelElements: @Sendable (_ columns: Int) -> Int

  let panelSolves: PanelSolves

  /// B := L⁻¹ B for B [order, columns], or B := B L⁻ᵀ for B [rows, order]; Lᵀ in the upper triangle of `factor`, `memory` for
  /// the order and `rows` for the columns of B.
  @safe struct PanelSolves: Sendable {
    let left:
      @Sendable (
        _ factor: UnsafePointer<Element>, _ order: Int, _ b: UnsafeMutablePointer<Element>,
        _ columns: Int, _ isWide: Bool, _ memory: UnsafeMutablePointer<Element>,
        _ rows: UnsafeMutablePointer<Element>
      ) -> Void
    let right:
      @Sendable (
        _ factor: UnsafePointer<Element>, _ order: Int, _ b: UnsafeMutablePointer<Element>,
        _ rows: Int, _ isWide: Bool, _ memory: UnsafeMutablePointer<Element>
      ) -> Void
  }
}

extension VectorLoops<Float> {
  static let single = unsafe VectorLoops(
    isSymmetric: { a, order in
      unsafe cvec_is_symmetric_32(UnsafeRawPointer(a).assumingMemoryBound(to: UInt32.self), order)
    },
    dot: { unsafe cvec_dot_f32($0, $1, $2) },
    norms: {
      let norms = unsafe cvec_norms_f32($0, $1, $2)
      return (norms.sum_of_squares, norms.largest_row_sum)
    },
    solveVectors: { unsafe cvec_solve_f32($0, $1, $2, $3, $4) },
    factorizeBlock: { unsafe cvec_factorize_f32($0, $1, $2) },
    invertBlock: { unsafe cvec_invert_f32($0, $1, $2, $3, $4) },
    factorizeByPanels: { unsafe cvec_factorize_by_panels_f32($0, $1, $2, $3) },
    panelElements: { cvec_panel_elements_f32($0) },
    panelSolves: unsafe PanelSolves(
      left: { unsafe cvec_solve_left_by_panels_f32($0, $1, $2, $3, $4, $5, $6) },
      right: { unsafe cvec_solve_right_by_panels_f32($0, $1, $2, $3, $4, $5) }))
}

extension VectorLoops<Double> {
  static let double = unsafe VectorLoops(
    isSymmetric: { a, order in
      unsafe cvec_is_symmetric_64(UnsafeRawPointer(a).assumingMemoryBound(to: UInt64.self), order)
    },
    dot: { unsafe cvec_dot_f64($0, $1, $2) },
    norms: {
      let norms = unsafe cvec_norms_f64($0, $1, $2)
      return (norms.sum_of_squares, norms.largest_row_sum)
    },
    solveVectors: { unsafe cvec_solve_f64($0, $1, $2, $3, $4) },
    factorizeBlock: { unsafe cvec_factorize_f64($0, $1, $2) },
    invertBlock: { unsafe cvec_invert_f64($0, $1, $2, $3, $4) },
    factorizeByPanels: { unsafe cvec_factorize_by_panels_f64($0, $1, $2, $3) },
    panelElements: { cvec_panel_elements_f64($0) },
    panelSolves: unsafe PanelSolves(
      left: { unsafe cvec_solve_left_by_panels_f64($0, $1, $2, $3, $4, $5, $6) },
      right: { unsafe cvec_solve_right_by_panels_f64($0, $1, $2, $3, $4, $5) }))
}
