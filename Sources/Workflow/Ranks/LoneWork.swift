internal import Collectives

/// Predicted operations of what rank 0 does alone while the others wait: signs of life for the watch
/// over stalled ranks, which waits four times as long as they take at 10^9 a second.
///
/// Generous: about ten times what documents were seen to take, as disks differ more than processors.
enum LoneWork {
  private static let perByte = 100.0
  /// A unit of a plan is some 350 bytes, a point of a sweep 70.
  private static let bytesPerRow = 350.0

  static func decoding(_ bytes: Int) -> Double { perByte * Double(bytes) }

  /// Encoding, writing and printing a document of so many rows.
  static func writing(_ rows: Int) -> Double { perByte * bytesPerRow * Double(rows) }

  /// Spreading a unit's slots by load: the exchanges of `ReplicaBundles.improve`.
  static func placing(_ slots: Int) -> Double { 100 * Double(slots) * Double(slots) }

  /// Solving the program of so many units, whole numbers too, and comparing.
  static func solving(_ units: Int) -> Double { 1e5 * Double(units) }
}

extension Collective where Self: ~Copyable {
  /// Says, at rank 0, that it begins so much work that the others wait for. Not collective.
  func reportLone(_ work: Double, _ activity: Progress.Activity = .assembling) {
    guard rank == 0, size > 1 else { return }
    report(
      Progress(activity, done: 0, total: 1, doneWork: 0, totalWork: work, begunWork: work))
  }
}
