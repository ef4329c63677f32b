import Testing

@testable import OpenMPICollectives

@Suite("Counts beyond one MPI call")
struct LargeCountsTests {
  @Test("Parts follow each other, end at the count and stay within the limit")
  func partsCoverTheCount() {
    for largest: Int32 in [1, 2, 3, 7] {
      for count in 0...30 {
        var next = 0
        LargeCounts(largest: largest).forEachPart(of: count) { offset, part in
          #expect(offset == next)
          #expect(part >= 1 && part <= largest)
          next = offset + Int(part)
        }
        #expect(next == count)
      }
    }
  }

  @Test("Five thousand million elements take three calls")
  func beyond32Bits() {
    var parts: [Int32] = []
    LargeCounts(largest: .max).forEachPart(of: 5_000_000_000) { parts.append($1) }
    #expect(parts == [.max, .max, 705_032_706])
  }

  @Test("A cap lowers the limit and never raises it")
  func cap() {
    #expect(LargeCounts(largest: .max).capped(at: 5).largest == 5)
    #expect(LargeCounts(largest: 3).capped(at: 5).largest == 3)
  }
}
