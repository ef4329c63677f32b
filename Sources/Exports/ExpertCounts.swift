internal import Checkpoints
internal import PlanFiles

/// Whole numbers of experts per block, for MoLA and DeepSpeed.
struct ExpertCounts {
  let blocks: BlockSequence
  let counts: [Int]

  init(
    _ planned: PlannedUnits, in checkpoint: Checkpoint?, intervals: Bool
  ) throws(ExportError) {
    blocks = try BlockSequence(planned, in: checkpoint, intervals: intervals)
    var counts: [Int] = []
    for unit in blocks.units {
      let count = try planned.wholeCapacity(of: unit)
      guard count >= 1 else {
        throw ExportError(
          "unit \"\(unit.name)\" gets no expert, but every layer of the list needs one; plan with --min 1"
        )
      }
      counts.append(count)
    }
    self.counts = counts
  }

  private var total: Int { counts.reduce(0, +) }

  /// MoLA's two comma lists, as shell lines: its scripts split them at the commas.
  func mola(topK: Int) -> Exported {
    func line(_ name: String, _ numbers: [Int]) -> String {
      "\(name)=\"\(numbers.map(String.init).joined(separator: ","))\"\n"
    }
    return Exported(
      text: line("number_experts", counts) + line("top_k", counts.map { min($0, topK) }),
      summary: "\(total) experts in \(counts.count) layers")
  }

  /// Megatron-DeepSpeed's arguments, one number per layer with experts.
  ///
  /// There `--expert-interval 2` gives experts to every second layer, the first of them layer 1.
  func deepspeedArguments() throws(ExportError) -> Exported {
    let numbers = counts.map(String.init).joined(separator: " ")
    return Exported(
      text: "--num-experts \(numbers) --expert-interval \(blocks.interval)\n", summary: summary,
      notes: notes)
  }

  /// `moe.num_experts` of DeepSpeed's configuration for inference.
  func deepspeedConfiguration() throws(ExportError) -> Exported {
    struct Configuration: Encodable {
      struct Experts: Encodable {
        let counts: [Int]
        enum CodingKeys: String, CodingKey { case counts = "num_experts" }
      }
      let moe: Experts
    }
    return Exported(
      text: try encoded(Configuration(moe: .init(counts: counts))), summary: summary, notes: notes)
  }

  private var summary: String {
    "\(total) experts in \(counts.count) layers"
      + (blocks.interval > 1 ? ", every \(blocks.interval) layers" : "")
  }

  private var notes: [String] {
    var notes: [String] = []
    if counts.count == 1 {
      notes.append("a list of one number counts for every layer of Megatron-DeepSpeed")
    } else if counts.contains(1) {
      notes.append("a layer with 1 expert is built without a router, as a dense layer")
    }
    let divisor = counts.reduce(0) { gcd($0, $1) }
    notes.append(
      "DeepSpeed needs the expert-parallel size to divide every count: here 1"
        + (divisor > 1 ? " or another divisor of \(divisor)" : "")
        + "; plan with --multiple-of for more")
    return notes
  }

  private func gcd(_ a: Int, _ b: Int) -> Int {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
  }
}
