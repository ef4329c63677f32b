public import ArgumentParser
internal import Collectives
public import Curvature
internal import DenseLinearAlgebra

/// Gains of made-up modules beside the matrix products of the same run.
struct GainBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gain",
    abstract: "The gain of one module, file to number, beside the rate of matrix products.",
    discussion: """
      Every rank computes the gain of a module of its own at the same time, from a file in the page cache: \
      reading, checks and checksum included. Operations are counted as textbooks do (`counted_as`), whatever \
      the program does instead.
      """)

  @OptionGroup var options: BenchOptions

  @Option(help: "kfac, kronecker, ekfac or fisher.")
  var curvature = CurvatureKind.kfac

  @Option(help: "Shapes of the module, OUTPUTSxINPUTS.")
  var shape: [ModuleShape] = [
    ModuleShape(outputs: 768, inputs: 3072), ModuleShape(outputs: 4096, inputs: 4096),
  ]

  @Option(help: "single or double; both if left out.")
  var precision: [Precision] = []

  @Option(
    help: "For kronecker: eigenbases, band-of-inputs, band-of-outputs; the cheapest if left out.")
  var path: KroneckerPath?

  @Option(help: "Samples of fisher.")
  var samples = 1024

  @Option(help: "Tokens per sample of fisher.")
  var tokens = 4

  @Option(help: "Order of the matrix product that is compared with.")
  var order = 2048

  func validate() throws {
    guard [.kfac, .kronecker, .ekfac, .fisher].contains(curvature) else {
      throw ValidationError("--curvature \(curvature.rawValue) is not measured here")
    }
    guard (1...32_766).contains(order), samples >= 2, tokens >= 1 else {
      throw ValidationError("--order, --samples and --tokens must be positive")
    }
  }

  func run() throws {
    try Bench.run(
      GainWork(
        options: options, kind: curvature, path: path, shapes: shape,
        precisions: precision.isEmpty ? Precision.allCases : precision, samples: samples,
        tokens: tokens, order: order))
  }
}

/// OUTPUTSxINPUTS.
struct ModuleShape: ExpressibleByArgument {
  let outputs: Int
  let inputs: Int

  init(outputs: Int, inputs: Int) {
    self.outputs = outputs
    self.inputs = inputs
  }

  init?(argument: String) {
    let sides = argument.split(separator: "x").map { Int($0) ?? 0 }
    guard sides.count == 2, sides.allSatisfy({ (1...32_766).contains($0) }) else { return nil }
    (outputs, inputs) = (sides[0], sides[1])
  }
}

extension KroneckerPath: ExpressibleByArgument {
  package init?(argument: String) {
    switch argument {
    case "eigenbases": self = .eigenbases
    case "band-of-inputs": self = .band(of: .activation)
    case "band-of-outputs": self = .band(of: .gradient)
    default: return nil
    }
  }
}

extension CurvatureKind: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

private struct GainWork: Bench.Work {
  let name = "gain"
  let options: BenchOptions
  let kind: CurvatureKind
  let path: KroneckerPath?
  let shapes: [ModuleShape]
  let precisions: [Precision]
  let samples: Int
  let tokens: Int
  let order: Int

  struct Line: Encodable {
    let curvature: String
    let shape: [Int]
    /// As asked for and as used: single falls back to double where it would not be exact enough.
    let precision, precisionUsed: String
    let countedAs: String
    let operations: Double
    let gain, gemm: Rate
    /// Of the gain, what goes into decoding the tensors, asking whether they are finite, and the checksum.
    let reading: Timing
    /// The gain's rate per that of the matrix product in the same round, the median over rounds; and
    /// without the reading.
    let ratioToGemm, ratioWithoutReading: Double
    let value: Double

    enum CodingKeys: String, CodingKey {
      case curvature, shape, precision, operations, gain, gemm, reading, value
      case precisionUsed = "precision_used"
      case countedAs = "counted_as"
      case ratioToGemm = "ratio_to_gemm"
      case ratioWithoutReading = "ratio_to_gemm_without_reading"
    }
  }

  func measure(over world: borrowing some Collective & ~Copyable) throws -> [Line] {
    var lines: [Line] = []
    for shape in shapes {
      let module = try RandomModule(
        outputs: shape.outputs, inputs: shape.inputs, seed: world.rank, holding: contents)
      for precision in precisions {
        lines.append(
          precision == .single
            ? try line(module, precision, beside: GemmRate<Float>(order: order), over: world)
            : try line(module, precision, beside: GemmRate<Double>(order: order), over: world))
      }
    }
    return lines
  }

  private func line<Element: LinearAlgebraElement>(
    _ module: borrowing RandomModule, _ precision: Precision,
    beside gemm: consuming GemmRate<Element>, over world: borrowing some Collective & ~Copyable
  ) throws -> Line {
    // A run computes module after module, and each finds the memory of the one before it.
    let reuse = MatrixReuse()
    defer { extendLifetime(reuse) }
    let statistics = try Statistics(path: module.path)
    var options = GainOptions(kind: kind, precision: precision, rule: .plain)
    options.kroneckerPath = path
    let productOperations = gemm.operations
    var found: ModuleGain?
    let times = try self.options.time(
      over: world,
      [
        { gemm.run() },
        {
          // A computer of its own: no factor is found decomposed.
          var computer = GainComputer(statistics: statistics, options: options)
          found = try computer.gain(of: statistics.modules[0])
        },
        {
          let computer = GainComputer(statistics: statistics, options: options)
          try computer.readAlone(statistics.modules[0])
        },
      ])
    let computing = Timing(rounds: zip(times[1].rounds, times[2].rounds).map { $0 - $1 })
    let perProduct = operations(module.outputs, module.inputs) / productOperations
    let operations = operations(module.outputs, module.inputs)
    return Line(
      curvature: kind.rawValue, shape: [module.outputs, module.inputs],
      precision: precision.rawValue, precisionUsed: found?.precision.rawValue ?? "",
      countedAs: countedAs, operations: operations,
      gain: Rate(times[1], operations: operations),
      gemm: Rate(times[0], operations: productOperations),
      reading: times[2], ratioToGemm: times[0].ratio(to: times[1]) * perProduct,
      ratioWithoutReading: times[0].ratio(to: computing) * perProduct,
      value: found?.gain ?? 0)
  }

  private var contents: RandomModule.Contents {
    switch kind {
    case .ekfac: .eigenbasis
    case .fisher: .captures(samples: samples, tokens: tokens)
    default: .covariances
    }
  }

  private var countedAs: String {
    switch kind {
    case .kronecker: "9 n^3 + 9 m^3 + 2 m n (m + n)"
    case .ekfac: "2 m n (m + n)"
    case .fisher: "T^2 (m + n) + N^3 / 3"
    default: "n^3 / 3 + m^3 / 3 + m n (m + n)"
    }
  }

  private func operations(_ outputs: Int, _ inputs: Int) -> Double {
    let (m, n) = (Double(outputs), Double(inputs))
    switch kind {
    case .kronecker: return 9 * (n * n * n + m * m * m) + 2 * m * n * (m + n)
    case .ekfac: return 2 * m * n * (m + n)
    case .fisher:
      let (rows, all) = (Double(samples), Double(samples * tokens))
      return all * all * (m + n) + rows * rows * rows / 3
    default: return (n * n * n + m * m * m) / 3 + m * n * (m + n)
    }
  }
}
