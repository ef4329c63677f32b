/// The last decomposed factor of the inputs, kept for the next module that shares it.
///
/// It is taken out while in use, so two never live at once.
struct FactorCache<Factor: ~Copyable>: ~Copyable {
  private var key = ""
  private var factor: Factor?
  /// How often a factor was found, and so was not decomposed again.
  private(set) var hits = 0

  /// The factor under `key`, if it is the one that is kept; frees any other.
  mutating func take(_ key: String) -> Factor? {
    let kept = factor.take()
    guard self.key == key, kept != nil else { return nil }
    hits += 1
    return kept
  }

  mutating func keep(_ factor: consuming Factor, of key: String) {
    self.key = key
    self.factor = consume factor
  }
}
