internal import ArgumentParser
internal import Collectives
internal import DenseLinearAlgebra

/// What the machine's matrix product reaches with all ranks at it: the limit of every other figure.
struct GemmBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gemm", abstract: "The rate of square matrix products, in both precisions.")

  @OptionGroup var options: BenchOptions

  @Option(help: "Orders of the matrices.")
  var order: [Int] = [1024, 2048, 4096]

  func validate() throws {
    guard order.allSatisfy({ (1...32_766).contains($0) }) else {
      throw ValidationError("--order must be between 1 and 32766")
    }
  }

  func run() throws { try Bench.run(GemmWork(options: options, orders: order)) }
}

private struct GemmWork: Bench.Work {
  let name = "gemm"
  let options: BenchOptions
  let orders: [Int]

  struct Line: Encodable {
    let order: Int
    /// Floating-point operations of one product: 2 order³.
    let operations: Double
    let single, double: Rate
  }

  func measure(over world: borrowing some Collective & ~Copyable) throws -> [Line] {
    try orders.map { order in
      var single = GemmRate<Float>(order: order)
      var double = GemmRate<Double>(order: order)
      let operations = double.operations
      let times = try options.time(over: world, [{ single.run() }, { double.run() }])
      return Line(
        order: order, operations: operations,
        single: Rate(times[0], operations: operations),
        double: Rate(times[1], operations: operations))
    }
  }
}

/// A time and what it means in operations.
struct Rate: Encodable {
  let time: Timing
  /// 10⁹ operations per second and rank, of the median round.
  let gigaflops: Double

  init(_ time: Timing, operations: Double) {
    self.time = time
    gigaflops = operations / time.median * 1e-9
  }
}
