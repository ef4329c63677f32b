public import Allocation
public import ArgumentParser
internal import Collectives
internal import Glibc

/// The price search on random units, from a hundred to ten million per rank.
struct PriceBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "price",
    abstract: "Allreduces, terms per unit and time of a price search, by the number of units.")

  @OptionGroup var options: BenchOptions

  @Option(help: "Units per rank, one line each.")
  var units: [Int] = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]

  @Option(help: "gamma of the program; 0 chooses it automatically, which is a search of its own.")
  var gamma = 1.0

  @Option(help: "Share of the units that have an upper bound.")
  var bounded = 0.3

  @Option(help: "Share of the units whose quality is zero.")
  var worthless = 0.0

  @Flag(help: "Whole numbers as upper bounds.")
  var wholeBounds = false

  @Flag(help: "Spend all of the budget: the price may be negative.")
  var spendAll = false

  @Option(help: "What running costs are in proportion to: cost or slot.")
  var alphaPer = CapacityProgram.AlphaPer.cost

  @Option(help: "Running cost per cost, or per slot.")
  var alpha = 0.5

  @Option(help: "Budget per unit.")
  var budget = 2.0

  @Option(help: "Half of what the logarithm of qualities is spread over; 0 makes them equal.")
  var qualitySpread = 3.0

  @Option(help: "The largest cost; the smallest is its inverse.")
  var largestCost = 2.0

  @Option(help: "Share of the units that are a thousand times as good and as large.")
  var heavy = 0.0

  @Option(help: "Seed of the draws.")
  var seed: UInt64 = 0

  func validate() throws {
    guard units.allSatisfy({ (1...1_000_000_000).contains($0) }) else {
      throw ValidationError("--units must be between 1 and 1000000000")
    }
    guard gamma >= 0, gamma.isFinite else {
      throw ValidationError("--gamma is \(gamma), but must be positive, or 0 for automatic")
    }
    guard alpha >= 0, alpha.isFinite else {
      throw ValidationError("--alpha is \(alpha), but must be 0 or more")
    }
    guard budget > 0, budget.isFinite else {
      throw ValidationError("--budget is \(budget), but must be above 0")
    }
    guard qualitySpread >= 0, qualitySpread <= 300 else {
      throw ValidationError("--quality-spread is \(qualitySpread), but must be between 0 and 300")
    }
    guard largestCost >= 1, largestCost <= 1e6 else {
      throw ValidationError("--largest-cost is \(largestCost), but must be between 1 and 1e6")
    }
    guard (0...1).contains(heavy) else {
      throw ValidationError("--heavy is \(heavy), but must be a share, between 0 and 1")
    }
  }

  func run() throws {
    try Bench.run(PriceWork(options: options, bench: self))
  }
}

private struct PriceWork: Bench.Work {
  let name = "price"
  let options: BenchOptions
  let bench: PriceBench

  struct Line: Encodable {
    let unitsPerRank: Int
    let price: Double
    let allreduces: Int
    let trials: Int
    /// ⌊log₂⌋ of the keys left after each round, by what was searched.
    let bracketBits: [String: [Int]]
    let termsPerUnit: Double
    let search: Timing
    let reading: Timing
    /// The search per reading three of the units' arrays once.
    let searchPerReading: Double
    let processorSecondsOfSearch: Double
    let processorSecondsOfReading: Double

    enum CodingKeys: String, CodingKey {
      case price, allreduces, trials, search, reading
      case unitsPerRank = "units_per_rank"
      case bracketBits = "bracket_bits"
      case termsPerUnit = "terms_per_unit"
      case searchPerReading = "search_per_reading"
      case processorSecondsOfSearch = "processor_seconds_of_search"
      case processorSecondsOfReading = "processor_seconds_of_reading"
    }
  }

  func measure(over world: borrowing some Collective & ~Copyable) throws -> [Line] {
    var lines: [Line] = []
    for count in bench.units { lines.append(try measure(count, over: world)) }
    return lines
  }

  private func measure(
    _ count: Int, over world: borrowing some Collective & ~Copyable
  ) throws -> Line {
    let total = count * world.size
    // With a budget of two per unit some get nothing, some their upper bound.
    var program = CapacityProgram(budget: bench.budget * Double(total))
    (program.alpha, program.alphaPer) = (bench.alpha, bench.alphaPer)
    if bench.gamma > 0 { program.gamma = .fixed(bench.gamma) }
    if bench.spendAll { program.spend = .all }
    var draws = RandomDraws(seed: bench.seed &+ UInt64(world.rank) &* 1_000_003)
    let first = world.rank * count
    var arrays = ReadArrays(count: count)
    let columns = CapacityColumns(program, count: count) { position in
      // Over four decades, as gains of layers are.
      let quality = 4 * exp(bench.qualitySpread * draws.bell())
      let cost =
        bench.largestCost == 2
        ? Double.random(in: 0.5...2, using: &draws)
        : exp(Double.random(in: -1...1, using: &draws) * log(bench.largestCost))
      let upper =
        draws.happens(bench.bounded) ? Double.random(in: 0...8, using: &draws) : .infinity
      let size = bench.heavy > 0 && draws.happens(bench.heavy) ? 1000.0 : 1
      let unit = CapacityUnit(
        index: first + position,
        quality: bench.worthless > 0 && draws.happens(bench.worthless) ? 0 : size * quality,
        cost: size * cost, lower: 0, upper: bench.wholeBounds ? upper.rounded(.up) : upper)
      arrays.append(unit)
      return unit
    }

    let clock = ContinuousClock()
    var (searches, readings): ([Double], [Double]) = ([], [])
    var (searchProcessor, readingProcessor): ([Double], [Double]) = ([], [])
    var search = PriceSearch(method: .accelerated)
    var priced: CapacityColumns.Priced?
    var checksum = 0.0
    for round in 0..<options.repeats + 1 {
      search = PriceSearch(method: .accelerated)
      // A search takes units out of its columns: each has its own.
      var own = columns.copied()
      world.barrier()
      var began = clock.now
      var processor = processorSeconds()
      priced = try own.price(totalUnits: total, search: &search, over: world)
      let searched = (began.duration(to: clock.now).inSeconds, processorSeconds() - processor)
      world.barrier()
      began = clock.now
      processor = processorSeconds()
      checksum += arrays.sum()
      let read = (began.duration(to: clock.now).inSeconds, processorSeconds() - processor)
      // The first round warms up.
      guard round > 0 else { continue }
      var times = [searched.0, read.0]
      world.maximum(&times)
      searches.append(times[0])
      readings.append(times[1])
      searchProcessor.append(searched.1)
      readingProcessor.append(read.1)
    }
    guard let priced, checksum.isFinite else { throw CancellationError() }
    let (searched, read) = (Timing(rounds: searches), Timing(rounds: readings))
    return Line(
      unitsPerRank: count, price: priced.price, allreduces: search.allreduces,
      trials: search.stages.reduce(0) { $0 + $1.trials },
      bracketBits: Dictionary(
        search.stages.map { ($0.purpose.rawValue, $0.bracketBits) }, uniquingKeysWith: +),
      termsPerUnit: Double(search.evaluations) / Double(count), search: searched, reading: read,
      searchPerReading: searched.ratio(to: read),
      processorSecondsOfSearch: Timing(rounds: searchProcessor).median,
      processorSecondsOfReading: Timing(rounds: readingProcessor).median)
  }
}

extension CapacityProgram.AlphaPer: ExpressibleByArgument {}

/// Three arrays of the units, to be read once as fast as the machine can.
private struct ReadArrays {
  private var arrays: [[SIMD4<Double>]] = [[], [], []]
  private var count = 0

  init(count: Int) {
    arrays = .init(repeating: .init(repeating: .zero, count: (count + 3) / 4), count: 3)
  }

  mutating func append(_ unit: CapacityUnit) {
    let (group, lane) = (count / 4, count % 4)
    arrays[0][group][lane] = unit.quality
    arrays[1][group][lane] = unit.cost
    arrays[2][group][lane] = min(unit.upper, 1e9)
    count += 1
  }

  func sum() -> Double {
    let (own, next, last) = (arrays[0], arrays[1], arrays[2])
    let first = own.span
    let second = next.span
    let third = last.span
    var sums = (SIMD4<Double>.zero, SIMD4<Double>.zero, SIMD4<Double>.zero)
    for group in first.indices {
      sums.0 += first[group]
      sums.1 += second[group]
      sums.2 += third[group]
    }
    return (sums.0 + sums.1 + sums.2).sum()
  }
}

/// Processor time of this thread: what a busy machine does not disturb.
private func processorSeconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
