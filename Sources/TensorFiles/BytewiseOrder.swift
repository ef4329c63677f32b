// Names in a file are bytes. Swift's `==` and `<` on `String` follow Unicode's canonical
// equivalence, by which a composed and a decomposed "é" are one name; other loaders see two.
// Everything in this room compares names with the functions below instead.

/// Whether two texts have the same UTF-8 bytes.
func sameBytes(_ left: String, _ right: String) -> Bool {
  left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8)
}

/// Whether `left` sorts before `right` by unsigned UTF-8 bytes; a prefix sorts first.
///
/// - Complexity: O(common prefix).
func precedesBytewise(_ left: String, _ right: String) -> Bool {
  left.utf8.lexicographicallyPrecedes(right.utf8)
}

/// The least of `names` that occurs more than once, or `nil` when all differ.
///
/// Sorts rather than hashes: no choice of names makes it slow.
/// - Complexity: O(n log n) comparisons.
func firstDuplicate(in names: [String]) -> String? {
  let sorted = names.sorted(by: precedesBytewise)
  return zip(sorted, sorted.dropFirst()).first { sameBytes($0, $1) }?.0
}

extension Array {
  /// Position in an array sorted bytewise by `name` of the element called `target`, if any.
  ///
  /// - Complexity: O(log n) comparisons.
  func position(of target: String, by name: (Element) -> String) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if precedesBytewise(name(self[middle]), target) { low = middle + 1 } else { high = middle }
    }
    return low < count && sameBytes(name(self[low]), target) ? low : nil
  }
}
