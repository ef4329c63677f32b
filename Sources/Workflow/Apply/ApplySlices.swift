internal import Checkpoints
internal import Curvature
internal import PlanFiles
internal import Pruning
internal import TensorFiles

/// Which rank prunes which modules and copies which of the other bytes.
struct ApplySlices {
  /// Modules that are decided together: one, or a unit under one threshold.
  typealias Task = [PlannedModule]
  /// Bytes of a file that belong to no planned module.
  struct Copy {
    let file: Int
    let range: Range<Int>
  }

  private let tasks: [Task]
  private let copies: [Copy]
  private let work: [Double]
  private let slicing: Slicing

  init(
    _ planned: PlannedModules, _ checkpoint: Checkpoint, _ request: ApplyRequest, ranks: Int
  ) {
    let modules = planned.units.flatMap { $0 }
    tasks = request.within == .global ? planned.units : modules.map { [$0] }
    copies = Self.copies(modules, checkpoint)
    work =
      tasks.map { $0.reduce(0) { $0 + Self.operations(of: $1.weight, request.method) } }
      + copies.map { Double($0.range.count) }
    slicing = Slicing(work: work, ranks: ranks)
  }

  /// Tasks and copies of a rank, in the order of the plan and of the files.
  func owned(by rank: Int) -> (tasks: [Task], copies: [Copy]) {
    let mine = slicing.unitsOfRank[rank]
    return (
      mine.filter { $0 < tasks.count }.map { tasks[$0] },
      mine.filter { $0 >= tasks.count }.map { copies[$0 - tasks.count] }
    )
  }

  /// Predicted work of a rank's tasks and copies, in their order.
  func work(of rank: Int) -> [Double] { slicing.unitsOfRank[rank].map { work[$0] } }

  /// Predicted work of all tasks and copies.
  var allWork: [Double] { work }

  /// Tensors that are one planned module each.
  func wholeTensors(in checkpoint: Checkpoint) -> Set<NaturalName> {
    Set(
      tasks.joined().filter { $0.weight.isWhole(in: checkpoint.tensors) }
        .map { NaturalName($0.weight.blocks[0].tensor) })
  }

  func slice(of rank: Int, seconds: Double) -> RunDocument.Slice {
    let own = owned(by: rank).tasks
    return RunDocument.Slice(
      rank: rank, units: Set(own.joined().map(\.unit)).count,
      modules: own.reduce(0) { $0 + $1.count }, operations: slicing.work[rank], seconds: seconds,
      peakBytes: 0)
  }

  /// Predicted operations: passes over the bytes, or sparsegpt's factorization and updates.
  private static func operations(of weight: ModuleWeight, _ method: PruningMethod) -> Double {
    let (outputs, inputs) = (Double(weight.outputs), Double(weight.inputs))
    switch method {
    case .magnitude: return 4 * Double(weight.byteCount)
    case .wanda: return 20 * outputs * inputs
    case .sparsegpt: return inputs * inputs * (2 * inputs / 3 + outputs)
    }
  }

  /// At most this much is copied at once.
  private static let copyBytes = 1 << 24

  /// All data bytes that belong to no planned module, in pieces.
  private static func copies(_ modules: [PlannedModule], _ checkpoint: Checkpoint) -> [Copy] {
    let files = checkpoint.tensors.files
    var planned = [[Range<Int>]](repeating: [], count: files.count)
    for module in modules {
      let width = module.weight.elementType.bitWidth / 8
      for place in checkpoint.places(of: module.weight) {
        planned[place.file].append(
          place.byteOffset..<place.byteOffset + place.elements.count * width)
      }
    }
    var copies: [Copy] = []
    for (index, file) in files.enumerated() {
      var position = file.headerByteCount
      func copy(to end: Int) {
        while position < end {
          let next = min(position + copyBytes, end)
          copies.append(Copy(file: index, range: position..<next))
          position = next
        }
      }
      for range in planned[index].sorted(by: { $0.lowerBound < $1.lowerBound }) {
        copy(to: range.lowerBound)
        position = range.upperBound
      }
      copy(to: file.byteCount)
    }
    return copies
  }
}
