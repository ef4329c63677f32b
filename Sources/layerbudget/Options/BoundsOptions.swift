internal import ArgumentParser
internal import Workflow

/// What single units may get at least and at most.
struct BoundsOptions: ParsableArguments {
  @Option(
    name: .customLong("min"), parsing: .unconditional,
    help: "Smallest capacity of a unit, or share of its weights to remove.")
  var minimum = 0.0

  @Option(
    name: .customLong("max"), parsing: .unconditional,
    help: "Largest capacity of a unit (default: no limit), or share to remove (default: 1).")
  var maximum: Double?

  @Option(
    help: "CSV name,lower,upper with bounds of single units.", completion: .file())
  var bounds: String?

  @Option(name: .customLong("fix"), help: "REGEX=VALUE: fix matching units; may be repeated.")
  var fixed: [String] = []

  /// - Parameter maximum: without `--max`.
  func request(maximum default: Double) -> BoundsRequest {
    var request = BoundsRequest(maximum: maximum ?? `default`)
    request.minimum = minimum
    request.table = bounds
    request.fixed = fixed
    return request
  }
}
