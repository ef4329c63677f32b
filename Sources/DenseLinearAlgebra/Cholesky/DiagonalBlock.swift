/// A block on the diagonal of a matrix that is factorized by products: few rows, one by one.
enum DiagonalBlock {
  /// Replaces the upper triangle of a block by its factor's; the first row whose pivot is not above 0, or nil.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  static func factorize<Element: LinearAlgebraElement>(
    _ a: UnsafeMutablePointer<Element>, _ count: Int, _ rowLength: Int
  ) -> Int? {
    for pivot in 0..<count {
      let row = unsafe a + pivot * rowLength
      let square = unsafe row[pivot]
      guard square > 0 else { return pivot }
      let root = square.squareRoot()
      unsafe row[pivot] = root
      for column in pivot + 1..<max(count, pivot + 1) { unsafe row[column] /= root }
      for below in pivot + 1..<max(count, pivot + 1) {
        let share = unsafe row[below]
        let target = unsafe a + below * rowLength
        for column in below..<count { unsafe target[column] -= share * row[column] }
      }
    }
    return nil
  }

  /// The inverse of a block's upper triangle, to rows of ``ProductFactorization/blockRows`` zeros.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  static func invert<Element: LinearAlgebraElement>(
    _ a: UnsafePointer<Element>, _ count: Int, _ rowLength: Int,
    into inverse: UnsafeMutablePointer<Element>
  ) {
    let width = ProductFactorization<Element>.blockRows
    for row in stride(from: count - 1, through: 0, by: -1) {
      let target = unsafe inverse + row * width
      // Row i of U X = I: x_i = (e_i − Σ u_ik x_k) / u_ii over the rows k below.
      for below in row + 1..<max(count, row + 1) {
        let share = unsafe a[row * rowLength + below]
        let other = unsafe inverse + below * width
        for column in below..<count { unsafe target[column] -= share * other[column] }
      }
      let pivot = unsafe a[row * rowLength + row]
      unsafe target[row] = 1
      for column in row..<count { unsafe target[column] /= pivot }
    }
  }
}
