/// The largest row count, column count or order that this BLAS takes: its integers have 32 bits.
package let largestBLASIndex = Int(Int32.max)

/// An order as BLAS takes it.
package func blasOrder(_ order: Int) throws(LinearAlgebraError) -> Int32 {
  guard let index = Int32(exactly: order) else {
    throw .tooLarge(order: order, limit: largestBLASIndex)
  }
  return index
}

/// A row or column count as BLAS takes it. Such a side beyond the limit stops the process: it is a
/// mistake in shapes that were checked before, not a property of the data.
func blasIndex(_ count: Int, _ meaning: StaticString) -> Int32 {
  guard let index = Int32(exactly: count) else {
    preconditionFailure("\(count) \(meaning), the limit of this BLAS is \(largestBLASIndex)")
  }
  return index
}
