import DenseLinearAlgebra
import TestSupport
import Testing

@Suite struct KeptMemoryTests {
  @Test("Kept and living blocks are at most an eighth more than living ones have ever been")
  func bound() {
    forEachCase(seed: 43, cases: 30) { generator, _ in
      let memory = KeptMemory()
      var live: [Block] = []
      var (living, peak, hits) = (0, 0, 0)
      memory.begin()
      for _ in 0..<200 {
        if live.isEmpty || generator.integer(in: 0...1) == 0 {
          let byteCount = KeptMemory.smallest * generator.integer(in: 1...4)
          let found = unsafe memory.take(byteCount: byteCount)
          if unsafe found != nil { hits += 1 }
          unsafe live.append(Block(found, byteCount: byteCount))
          living += byteCount
          peak = max(peak, living)
        } else {
          let block = live.remove(at: generator.integer(in: 0...live.count - 1))
          #expect(unsafe memory.keep(block.memory, byteCount: block.byteCount))
          living -= block.byteCount
        }
        let counts = memory.byteCounts
        #expect(counts.living == living && counts.peak == peak)
        #expect(counts.living + counts.kept <= peak + peak / 8)
      }
      #expect(hits > 0)
      // Nobody asks for it any more: all goes back, and what is freed from now on is not kept.
      memory.end()
      #expect(memory.byteCounts.kept == 0)
      for block in live {
        #expect(unsafe !memory.keep(block.memory, byteCount: block.byteCount))
        unsafe block.memory.deallocate()
      }
      #expect(memory.byteCounts.living == 0)
    }
  }

  @Test("A block serves the next request of its size, and no other")
  func sizes() {
    let memory = KeptMemory()
    let size = KeptMemory.smallest
    memory.begin()
    #expect(unsafe memory.take(byteCount: 2 * size) == nil)
    #expect(unsafe memory.take(byteCount: size) == nil)
    let block = unsafe Block(nil, byteCount: size)
    #expect(unsafe memory.keep(block.memory, byteCount: size))
    #expect(unsafe memory.take(byteCount: size - 1) == nil)
    #expect(unsafe memory.take(byteCount: size) == block.memory)
    #expect(unsafe memory.take(byteCount: size) == nil)
    // Small ones are not counted at all.
    #expect(unsafe !memory.keep(block.memory, byteCount: size - 1))
    unsafe block.memory.deallocate()
    memory.end()
  }

  @Test("A new matrix is zero in memory that another has used")
  func zeros() {
    let reuse = MatrixReuse()
    for _ in 0..<3 {
      var used = Matrix<Double>(rows: 301, columns: 203)
      let squares = used.sumOfSquares
      #expect(squares == 0)
      used.addToDiagonal(7)
      used.scaleRows(by: [Double](repeating: .infinity, count: 301))
    }
    withExtendedLifetime(reuse) {}
  }

  /// Memory as a matrix would have it.
  @safe private struct Block {
    let memory: UnsafeMutableRawPointer
    let byteCount: Int

    init(_ found: UnsafeMutableRawPointer?, byteCount: Int) {
      unsafe memory = found ?? .allocate(byteCount: byteCount, alignment: 64)
      self.byteCount = byteCount
    }
  }
}
