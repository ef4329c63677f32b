/// |a − b| / max(|a|, |b|), between 0 and 2 for finite numbers; 0 where both are equal, infinities
/// and zeros included, and nan where either is nan or just one is infinite.
public func relativeError(_ a: Double, _ b: Double) -> Double {
  a == b ? 0 : abs(a - b) / max(abs(a), abs(b))
}
