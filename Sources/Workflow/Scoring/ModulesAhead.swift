internal import Curvature
internal import TensorFiles

/// The modules of a rank in the order of computing: while one is computed, the disk already reads the
/// next. One module ahead and no more, so that the page cache of a small machine suffices.
struct ModulesAhead: ~Copyable {
  private let following: [NaturalName: ModuleStatistics]
  private let statistics: Statistics
  private let options: GainOptions
  private var thread = ReadAhead()

  init(_ units: [ModuleUnit], _ statistics: Statistics, _ options: GainOptions) {
    let order = units.flatMap { GainComputer.computingOrder($0.modules) }
    following = Dictionary(
      zip(order, order.dropFirst()).map { (NaturalName($0.name), $1) },
      uniquingKeysWith: { first, _ in first })
    self.statistics = statistics
    self.options = options
  }

  /// Begins to read the module after `module`, on another thread.
  mutating func beginNext(after module: ModuleStatistics) {
    guard let next = following[NaturalName(module.name)] else { return }
    let (statistics, options) = (statistics, options)
    thread.begin { statistics.willRead(next, under: options) }
  }
}
