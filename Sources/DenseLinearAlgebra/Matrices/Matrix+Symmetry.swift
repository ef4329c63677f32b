extension Matrix {
  /// Whether aᵢⱼ and aⱼᵢ have the same bits for all i and j: then ``symmetrize()`` would change nothing.
  ///
  /// - Precondition: the matrix is square.
  /// - Complexity: one read of each element, in tiles as wide as a cache line, up to the first row of
  ///   tiles where a pair differs.
  public var isSymmetricBitByBit: Bool {
    precondition(rows == columns, "only a square matrix can be symmetric, not \(rows) × \(columns)")
    guard let base = unsafe storage.baseAddress else { return true }
    return unsafe Element._loops.isSymmetric(base, rows)
  }
}

extension Matrix {
  /// A := (A + Aᵀ)/2; pairs that are equal keep their bits.
  ///
  /// Returns the largest |aᵢⱼ − aⱼᵢ| and the largest |aᵢⱼ| before; both nan when an element is nan
  /// or infinite.
  /// - Precondition: the matrix is square.
  /// - Postcondition: aᵢⱼ == aⱼᵢ for finite elements.
  /// - Complexity: one read of each element, in tiles as wide as a cache line, and one write of those
  ///   in tiles that are not symmetric.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public mutating func symmetrize() -> (largestAsymmetry: Double, largestMagnitude: Double) {
    precondition(rows == columns, "only a square matrix can be symmetric, not \(rows) × \(columns)")
    let (order, tile) = (rows, 64 / MemoryLayout<Element>.stride)
    guard let base = unsafe storage.baseAddress else { return (0, 0) }
    // The mirror image of a tile, and per lane the largest difference, the largest magnitude, and what
    // stays 0 while all is finite: ∞ · 0 and nan · 0 are nan.
    return unsafe withUnsafeTemporaryAllocation(of: Element.self, capacity: tile * (tile + 3)) {
      scratch in
      let mirror = unsafe scratch.baseAddress.unsafelyUnwrapped
      unsafe mirror.initialize(repeating: 0, count: scratch.count)
      let difference = unsafe mirror + tile * tile
      let magnitude = unsafe difference + tile
      let poison = unsafe magnitude + tile
      for firstRow in stride(from: 0, to: order, by: tile) {
        let height = min(tile, order - firstRow)
        for firstColumn in stride(from: 0, through: firstRow, by: tile) {
          let lower = unsafe base + firstRow * order + firstColumn
          let upper = unsafe base + firstColumn * order + firstRow
          // 1. Whole tiles side by side: most files hold equal pairs, and nothing is written.
          if height == tile {
            for column in 0..<tile {
              for row in 0..<tile {
                unsafe mirror[row * tile + column] = upper[column * order + row]
              }
            }
            for row in 0..<tile {
              for lane in 0..<tile {
                let left = unsafe lower[row * order + lane]
                let right = unsafe mirror[row * tile + lane]
                let (apart, size) = (abs(left - right), abs(left))
                unsafe poison[lane] += left * 0 + right * 0
                unsafe difference[lane] = difference[lane] < apart ? apart : difference[lane]
                unsafe magnitude[lane] = magnitude[lane] < size ? size : magnitude[lane]
              }
            }
            if (0..<tile).allSatisfy({ unsafe difference[$0] == 0 }) { continue }
          }
          // 2. Pair by pair where something differs, and at the edge.
          for row in 0..<height {
            for column in 0..<(firstRow == firstColumn ? row + 1 : tile) {
              let left = unsafe lower[row * order + column]
              let right = unsafe upper[column * order + row]
              unsafe poison[0] += left * 0 + right * 0
              unsafe difference[0] = max(difference[0], abs(left - right))
              unsafe magnitude[0] = max(magnitude[0], abs(left), abs(right))
              if left != right {
                // Halved before the sum, which cannot overflow then.
                let mean = left / 2 + right / 2
                unsafe lower[row * order + column] = mean
                unsafe upper[column * order + row] = mean
              }
            }
          }
        }
      }
      var found: (Element, Element) = (0, 0)
      for lane in 0..<tile {
        unsafe found = (max(found.0, difference[lane]), max(found.1, magnitude[lane]))
      }
      for lane in 0..<tile { unsafe found = (found.0 + poison[lane], found.1 + poison[lane]) }
      return (Double(found.0), Double(found.1))
    }
  }
}
