internal import Allocation
internal import PlanFiles

extension ScoresDocument.Unit {
  /// Whole groups of M inputs, from the modules' shapes; an appended bias counts as an input there.
  func groups(of patterns: SparsityPatterns) throws(Failure) -> Int {
    var groups = 0
    for module in modulesDetail {
      guard module.shape.count == 2, module.shape.allSatisfy({ (0..<1 << 31).contains($0) }) else {
        throw Failure(
          .badData,
          "module \"\(module.name)\" has shape \(module.shape), but --pattern needs [outputs, inputs]; "
            + "make the scores with layerbudget score")
      }
      groups += patterns.groups(outputs: module.shape[0], inputs: module.shape[1])
    }
    guard !modulesDetail.isEmpty else {
      throw Failure(
        .badData,
        "unit \"\(name)\" does not say the shapes of its modules, which --pattern needs; give "
          + "--statistics, or scores of layerbudget score")
    }
    return groups
  }
}
