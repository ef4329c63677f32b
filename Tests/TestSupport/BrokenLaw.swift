/// A broken law, in words. `forEachCase` adds the seed and the case.
public struct BrokenLaw: Error, CustomStringConvertible {
  public let description: String
}

/// Throws unless the law holds: stops a case at its first broken law.
public func require(_ holds: Bool, _ law: @autoclosure () -> String) throws {
  guard holds else { throw BrokenLaw(description: law()) }
}
