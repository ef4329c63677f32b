public import Checkpoints
internal import Curvature
internal import PlanFiles
internal import TensorFiles

/// One matrix of a plan under the name by which its consumer knows it.
public struct ExportedModule: Sendable, Equatable {
  public let name: String
  /// Position of its unit.
  public let unit: Int
  /// The tensor of all experts, where this is a slice of one: no module of the loaded model, but a
  /// parameter of one.
  public let fused: String?
  /// Outputs and inputs, where a checkpoint says them.
  public let shape: [Int]?

  var weights: Int? { shape.map { $0[0] * $0[1] } }
}

/// The modules of all units, in the order of the units.
///
/// A unit without `modules` is the module of its name; with a checkpoint it may also be a block. With a
/// checkpoint every module is found in it and takes its name there where the two differ by a leading
/// part, as they do where a model wraps its trunk.
public struct ExportedModules: Sendable {
  public let modules: [ExportedModule]

  /// - Throws: when a name comes twice, is not in the checkpoint, or would match more than one module.
  public init(of planned: PlannedUnits, in checkpoint: Checkpoint?) throws(ExportError) {
    var modules: [ExportedModule] = []
    let fusedBlocks = Self.fusedBlocks(planned.units.flatMap { $0.modules ?? [$0.name] })
    for (index, unit) in planned.units.enumerated() {
      guard let checkpoint else {
        modules += (unit.modules ?? [unit.name]).map { name in
          ExportedModule(
            name: name, unit: index, fused: Self.fusedTensor(of: name, in: fusedBlocks), shape: nil)
        }
        continue
      }
      let found = try Self.weights(of: unit, in: checkpoint)
      modules += found.map { weight in
        Self.module(weight, unit: index, in: checkpoint, fusedBlocks: fusedBlocks)
      }
    }
    try Self.requireOneOfEach(modules)
    self.modules = modules

    // What a consumer would find by these names: among themselves, and in the whole checkpoint.
    let own = Set(modules.map { $0.fused ?? $0.name })
    let index = SuffixIndex(own.union(checkpoint?.matrixNames ?? []))
    for name in own.sorted(by: { NaturalName($0) < NaturalName($1) }) {
      try index.requireOneMatch(name)
    }
  }

  private static func weights(
    of unit: PlanOutline.Unit, in checkpoint: Checkpoint
  ) throws(ExportError) -> [ModuleWeight] {
    do throws(CheckpointError) {
      let names =
        if let modules = unit.modules { modules } else { try checkpoint.modules(named: unit.name) }
      return try checkpoint.weights(of: names.map { ModuleShape(name: $0) })
    } catch {
      throw ExportError("\(error)")
    }
  }

  private static func module(
    _ weight: ModuleWeight, unit: Int, in checkpoint: Checkpoint, fusedBlocks: Set<NaturalName>
  ) -> ExportedModule {
    let tensor = weight.blocks[0].tensor
    let stored = tensor.hasSuffix(".weight") ? String(tensor.dropLast(7)) : tensor
    let isSlice = checkpoint.tensors[tensor]?.shape.count == 3
    let fused = fusedTensor(of: weight.name, in: fusedBlocks) ?? (isSlice ? stored : nil)
    return ExportedModule(
      name: fused == nil ? known(weight.name, storedAs: stored) : weight.name, unit: unit,
      fused: fused.map { known($0, storedAs: stored) }, shape: [weight.outputs, weight.inputs])
  }

  /// The checkpoint's name where it only has a leading part more or less. What is stored under another
  /// name altogether is renamed when it is loaded, and the consumer sees the plan's name.
  private static func known(_ name: String, storedAs stored: String) -> String {
    name.hasSuffix(".\(stored)") || stored.hasSuffix(".\(name)") ? stored : name
  }

  private static func requireOneOfEach(_ modules: [ExportedModule]) throws(ExportError) {
    var seen: Set<NaturalName> = []
    for module in modules where !seen.insert(NaturalName(module.name)).inserted {
      throw ExportError(
        "module \"\(module.name)\" belongs to two units; it can get one answer only")
    }
  }

  // MARK: Experts that a model holds as slices of one tensor

  /// `P.experts` of every `P.experts.N.gate_up_proj`: only fused experts have such a matrix.
  private static func fusedBlocks(_ names: [String]) -> Set<NaturalName> {
    Set(
      names.compactMap { name in
        expert(name).flatMap { $0.matrix == "gate_up_proj" ? NaturalName($0.block) : nil }
      })
  }

  /// The tensor of which an expert's matrix is a slice, if its block's experts are fused.
  private static func fusedTensor(of name: String, in blocks: Set<NaturalName>) -> String? {
    guard let (block, matrix) = expert(name), blocks.contains(NaturalName(block)) else {
      return nil
    }
    return "\(block).\(matrix)"
  }

  private static func expert(_ name: String) -> (block: String, matrix: String)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 3, Int(parts[parts.count - 2]) != nil,
      parts[parts.count - 3] == "experts"
    else { return nil }
    return (parts.dropLast(2).joined(separator: "."), String(parts[parts.count - 1]))
  }
}

extension ExportedModules {
  /// Refuses experts that are slices of one tensor, for consumers that go over modules.
  func requireModules(_ consumer: String) throws(ExportError) {
    guard let slice = modules.first(where: { $0.fused != nil }) else { return }
    throw ExportError(
      "\"\(slice.name)\" is a slice of the tensor \"\(slice.fused ?? "")\", but \(consumer) prunes "
        + "modules of their own; leave experts out with --exclude, or use layerbudget apply")
  }
}
