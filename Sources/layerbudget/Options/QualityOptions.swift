internal import Allocation
internal import ArgumentParser

/// How gains become qualities.
struct QualityOptions: ParsableArguments {
  @Option(help: "How gains are normalised.")
  var normalize = QualityRule.Normalization.mean

  @Flag(help: "Divide each gain by the unit's parameter count first.")
  var perParameter = false

  @Option(
    parsing: .unconditional, help: "Add this share of the median positive gain to every gain.")
  var qualityFloor = 0.0

  var rule: QualityRule {
    QualityRule(normalization: normalize, perParameter: perParameter, floor: qualityFloor)
  }
}
