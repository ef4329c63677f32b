internal import Checkpoints
public import Collectives
internal import Curvature
internal import PlanFiles
internal import Pruning

extension ApplyRequest {
  /// What each rank would prune and copy: plan and headers are checked as for a run, nothing is
  /// written. Collective.
  public func dryRun(
    ranks: Int? = nil, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> DryRun {
    let inputs = try agreed(over: world) { () throws(Failure) in try ApplyInputs(self) }
    try inputs.requireSame(over: world)
    let planned = try agreed(over: world) { () throws(Failure) in
      try PlannedModules(of: self, in: inputs)
    }
    let ranks = ranks ?? world.size
    let slices = ApplySlices(planned, inputs.checkpoint, self, ranks: ranks)
    return DryRun(
      (0..<ranks).map { rank in
        let (tasks, copies) = slices.owned(by: rank)
        let slice = slices.slice(of: rank, seconds: 0)
        let modules = tasks.flatMap { $0 }
        return DryRun.Rank(
          rank: rank, units: slice.units, modules: slice.modules, operations: slice.operations,
          bytesRead: modules.reduce(0) { $0 + $1.weight.byteCount }
            + copies.reduce(0) { $0 + $1.range.count },
          peakBytes: modules.map { workingSet(of: $0.weight) }.max() ?? 0)
      }, units: slices.allWork)
  }

  /// Bytes that one module takes: pieces where it passes by, else its words and, under sparsegpt, the
  /// matrix and the factor of its inputs.
  private func workingSet(of weight: ModuleWeight) -> Int {
    let pieces = 1 << 20
    if method != .sparsegpt, pattern == nil, within == .uniform,
      method == .magnitude || !weight.isTransposed
    {
      return min(pieces, 2 * weight.byteCount)
    }
    let words = 2 * weight.byteCount
    guard method == .sparsegpt else { return words }
    return words + (weight.count + weight.inputs * weight.inputs) * (precision == .single ? 4 : 8)
  }
}
