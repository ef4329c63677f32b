/// The ranks of one run, and what they can do together.
///
/// Every method is *collective*: all ranks call it, in the same order, with equal element counts and
/// equal roots. A rank that stays away makes the others wait. Every rank gets its answer before
/// any rank's next call is combined, so calls never mix.
///
/// **Same bits for any number of ranks.** `sum` is exact and `maximum` has one answer, so neither
/// depends on how many ranks there are nor on the order in which they arrive.
///
/// **Nothing throws.** When communication itself is broken the ranks can no longer agree on what to
/// do next, so an implementation ends the whole run instead, naming the call and the rank. A failure
/// that only one rank sees, such as a bad file, is first agreed by all: see `agree(on:code:)`.
///
/// Take a collective as `_ world: borrowing some Collective & ~Copyable`.
///
/// Complexities count, for p ranks, the messages on the longest path and the bytes through the
/// busiest rank; `ThreadedCollective` has its own, in memory.
public protocol Collective: ~Copyable {
  /// This rank's number, `0 <= rank && rank < size`. Not collective.
  var rank: Int { get }

  /// How many ranks there are, at least 1. Not collective.
  var size: Int { get }

  /// Replaces each element by its exact sum over all ranks.
  ///
  /// Collective, with equal `values.count`. Intermediate sums may exceed 128 bits, in any order;
  /// only a total that does not fit is a programming error, and then every rank traps. The caller's
  /// choice of scale rules that out.
  /// - Complexity: one allreduce of 24·count bytes: O(log p) messages, O(count) additions each.
  func sum(_ values: inout [Int128])

  /// Replaces each element by its maximum over all ranks.
  ///
  /// Collective, with equal `values.count`. NaN is a programming error. A zero comes back as +0.0,
  /// whatever its sign was, with any number of ranks.
  /// - Complexity: one allreduce of 8·count bytes: O(log p) messages, O(count) comparisons each.
  func maximum(_ values: inout [Double])

  /// Returns the bytes of every rank, in rank order, at rank `root`; an empty array elsewhere.
  ///
  /// Collective, with equal `root`. The lengths may differ and may be 0.
  /// - Complexity: O(p) messages and all bytes through `root`, which holds them all in memory.
  func gather(_ bytes: [UInt8], at root: Int) -> [[UInt8]]

  /// Returns the bytes of rank `root` on every rank. What other ranks pass is ignored.
  ///
  /// Collective, with equal `root`.
  /// - Complexity: O(log p) messages of `bytes.count` bytes, after one of 8 bytes.
  func broadcast(_ bytes: [UInt8], from root: Int) -> [UInt8]

  /// Returns once every rank has called.
  ///
  /// Collective.
  /// - Complexity: O(log p) messages without content.
  func barrier()

  /// Says how far this rank has come. Changes no result, and other ranks need not call.
  ///
  /// Long work calls it before each unit: where ranks watch each other, a rank that neither reports nor
  /// arrives for a long time is taken for stalled. Not collective.
  /// - Complexity: mostly one reading of a clock; about once a second two small messages.
  func report(_ progress: Progress)
}

extension Collective where Self: ~Copyable {
  /// Nobody watches.
  public func report(_ progress: Progress) {}
}
