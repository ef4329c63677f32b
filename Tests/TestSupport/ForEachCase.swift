internal import Synchronization
public import Testing

/// Runs `body` on independent random cases and stops at the first that breaks.
///
/// Each case has a generator of its own, made from the seed and its number, so a failing case can be
/// run alone: `var generator = SeededGenerator(seed: seed, stream: number)`. When `body` throws or an
/// expectation in it fails, one more issue names the seed and the case; a thrown error goes on up.
/// Expectations count only in `body`'s own task: it must not hand them to threads of its own.
public func forEachCase(
  seed: UInt64, cases: Int, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: (inout SeededGenerator, Int) throws -> Void
) rethrows {
  for number in 0..<cases {
    let broken = Flag()
    defer {
      if broken.isSet {
        Issue.record(
          "seed \(seed), case \(number) of \(cases) is the first that fails",
          sourceLocation: sourceLocation)
      }
    }
    // Nothing is known to fail here: `matching` only sees every issue as it passes by.
    try withKnownIssue(isIntermittent: true, sourceLocation: sourceLocation) {
      var generator = SeededGenerator(seed: seed, stream: UInt64(number))
      try body(&generator, number)
    } matching: { _ in
      broken.set()
      return false
    }
    if broken.isSet { return }
  }
}

/// A switch that a `@Sendable` closure can throw.
private final class Flag: Sendable {
  private let value = Atomic(false)

  var isSet: Bool { value.load(ordering: .relaxed) }

  func set() { value.store(true, ordering: .relaxed) }
}
