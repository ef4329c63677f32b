/// A demand that depends on the answer of another search as well as on its own key: it does not rise with
/// the key, nor fall when the other answer rises, bit for bit.
protocol RidingDemand: Sendable {
  associatedtype Demand: SearchedDemand

  /// The demand, if the other answer were that of the key. It may be narrowed without this one.
  func demand(given answer: Int64) -> Demand

  /// Says that the other answer lies within `answers` and the own one within `keys`: units that ask for the
  /// same wherever both are may leave.
  /// Returns the terms evaluated for that.
  mutating func narrow(to answers: ClosedRange<Int64>, _ keys: ClosedRange<Int64>) -> Int
}

/// Stands in for the passenger of a search that carries none.
enum NoRider: RidingDemand {
  func demand(given answer: Int64) -> SlicedDemand<NoDemand> {
    switch self {}
  }
  mutating func narrow(to answers: ClosedRange<Int64>, _ keys: ClosedRange<Int64>) -> Int {
    switch self {}
  }
}

/// Of nobody.
struct NoDemand: DemandCurve {
  func point(at key: Int64) -> Int64 { key }
  func term(of unit: Int64, at point: Int64) -> Int128 { 0 }
}
