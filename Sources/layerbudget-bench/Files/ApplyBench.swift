internal import ArgumentParser
internal import Collectives
internal import FoundationEssentials
internal import Glibc
internal import Pruning
internal import TensorFiles
internal import Workflow

/// How fast checkpoints are pruned, by method, beside `cp -r` of the same files.
struct ApplyBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract:
      "Pruning a checkpoint by magnitude and wanda, beside cp of it; sparsegpt beside a GEMM.",
    discussion: """
      cp is measured without and with a sync of what it wrote; apply always syncs, which costs \
      nothing where --folder lies in memory (/dev/shm).
      """)

  @OptionGroup var options: BenchOptions

  @Option(help: "Folder for the files; they are removed afterwards.")
  var folder = "/dev/shm"

  @Option(help: "Rows and columns of every matrix.")
  var order = 4096

  @Option(help: "Matrices of the checkpoint; sparsegpt prunes them too.")
  var modules = 8

  @Flag(inversion: .prefixedNo, help: "Measure sparsegpt too, which takes longest.")
  var sparsegpt = true

  func validate() throws {
    guard (16...16384).contains(order), (1...1000).contains(modules) else {
      throw ValidationError("--order must be between 16 and 16384 and --modules between 1 and 1000")
    }
  }

  func run() throws {
    try Bench.run(
      ApplyWork(
        options: options, folder: folder, order: order, modules: modules, sparsegpt: sparsegpt))
  }
}

private struct ApplyWork: Bench.Work {
  let name = "apply"
  let options: BenchOptions
  let folder: String
  let order: Int
  let modules: Int
  let sparsegpt: Bool

  struct Report: Encodable {
    let megabytes: Double
    let copy: Timing
    let copyAndSync: Timing
    let methods: [String: Method]

    enum CodingKeys: String, CodingKey {
      case megabytes, copy, methods
      case copyAndSync = "copy_and_sync"
    }
  }

  struct Method: Encodable {
    let time: Timing
    /// Of the same round's copies: 1 is as fast as they are.
    let speedBesideCopy: Double
    let speedBesideCopyAndSync: Double
    /// Of sparsegpt: operations per second, and those of a product in the same rounds.
    var operationsPerSecond: Double?
    var productOperationsPerSecond: Double?

    enum CodingKeys: String, CodingKey {
      case time
      case speedBesideCopy = "speed_beside_copy"
      case speedBesideCopyAndSync = "speed_beside_copy_and_sync"
      case operationsPerSecond = "operations_per_second"
      case productOperationsPerSecond = "product_operations_per_second"
    }
  }

  func measure(over world: borrowing some Collective & ~Copyable) throws -> Report {
    guard world.size == 1 else {
      throw ValidationError("one rank: a copy and an apply take turns on the same folder")
    }
    let model = BenchModel(
      folder: "\(folder)/layerbudget-bench-\(getpid())", order: order, modules: modules)
    defer { model.remove() }
    try model.write(seed: 1)
    let output = "\(model.folder)/out"
    let methods: [PruningMethod] =
      sparsegpt ? [.magnitude, .wanda, .sparsegpt] : [.magnitude, .wanda]

    // After each body the output goes, and what the disk still has to store with it.
    func clean() {
      for path in [output, "\(output).run.json"] {
        try? FileManager.default.removeItem(atPath: path)
      }
      sync()
    }
    var bodies: [() throws -> Void] = [
      { try shell("cp -r '\(model.checkpoint)' '\(output)'") }, clean,
      {
        try shell("cp -r '\(model.checkpoint)' '\(output)'")
        for file in try FileManager.default.contentsOfDirectory(atPath: output) {
          try PositionedFile(path: "\(output)/\(file)").sync()
        }
        try DurableFolder.sync(output)
      }, clean,
    ]
    for method in methods {
      bodies.append {
        var request = ApplyRequest(
          plan: model.plan, checkpoint: model.checkpoint, output: output)
        request.method = method
        request.statistics = method.needsActivations ? model.statistics : nil
        request.resumes = false
        _ = try request.run(over: SoloCollective())
      }
      bodies.append(clean)
    }
    let product = ProductRate(order: min(order, 2048))
    if sparsegpt { bodies.append { product.run() } }

    let times = try options.time(over: world, bodies)
    let (copy, copyAndSync) = (times[0], times[2])
    var found: [String: Method] = [:]
    for (index, method) in methods.enumerated() {
      let time = times[4 + 2 * index]
      found[method.rawValue] = Method(
        time: time, speedBesideCopy: copy.ratio(to: time),
        speedBesideCopyAndSync: copyAndSync.ratio(to: time))
    }
    if sparsegpt, let time = found["sparsegpt"]?.time, let rounds = times.last {
      let n = Double(order)
      // One covariance for all modules: factorized and inverted once.
      found["sparsegpt"]?.operationsPerSecond =
        n * n * n * (2.0 / 3 + Double(modules)) / time.median
      found["sparsegpt"]?.productOperationsPerSecond = product.operations / rounds.median
    }
    return Report(
      megabytes: Double(model.byteCount) / 1e6, copy: copy, copyAndSync: copyAndSync,
      methods: found)
  }

  private func shell(_ command: String) throws {
    let code = unsafe system(command)
    guard code == 0 else { throw ValidationError("\(command): ended with \(code)") }
  }
}
