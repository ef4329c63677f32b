internal import Checkpoints
internal import Curvature
internal import PlanFiles

/// What one unit of capacity costs each unit: from a number, a table, the modules' shapes or the
/// checkpoint's expert tensors; and which units have an α or γ of their own.
struct UnitCosts {
  private let rule: CostRule
  private let table: UnitNumbers?
  private let programs: UnitPrograms?
  private let checkpoint: Checkpoint?
  private let experts: ExpertIndex?
  /// Experts that a token is sent to, where known.
  let topK: Int?
  /// What was read, to be named in the plan.
  private(set) var inputs: [String: InputFingerprint] = [:]

  /// Costs of 1: for programs without costs.
  init() {
    rule = .given(.uniform(1))
    (table, programs, checkpoint, experts, topK) = (nil, nil, nil, nil, nil)
  }

  /// Reads the tables and the checkpoint's headers. Not collective.
  init(_ measure: CapacityMeasure) throws(Failure) {
    rule = try measure.rule()
    var inputs: [String: InputFingerprint] = [:]
    do {
      if let costs = measure.known.costs {
        table = costs
      } else if case .given(.table(let path)) = rule {
        let file = try InputFile(path: path)
        inputs["costs"] = InputFingerprint(
          bytes: file.bytes.count, headers: nil, contents: file.checksum.hexadecimal)
        table = try UnitNumbers(bytes: file.bytes, source: path, column: "cost")
      } else {
        table = nil
      }
      if let path = measure.program {
        let file = try InputFile(path: path)
        inputs["program"] = InputFingerprint(
          bytes: file.bytes.count, headers: nil, contents: file.checksum.hexadecimal)
        programs = try UnitPrograms(bytes: file.bytes, source: path)
      } else {
        programs = measure.known.programs
      }
      let checkpoint = try measure.checkpoint.map { try Checkpoint(path: $0) }
      if let checkpoint {
        let headers = checkpoint.headerFingerprint.hexadecimal
        inputs["checkpoint"] = InputFingerprint(
          bytes: checkpoint.totalByteCount, headers: headers, contents: headers)
      }
      if let nodes = measure.nodes {
        let file = try InputFile(path: nodes)
        inputs["nodes"] = InputFingerprint(
          bytes: file.bytes.count, headers: nil, contents: file.checksum.hexadecimal)
      }
      if case .expert = rule, let checkpoint {
        experts = try ExpertIndex(checkpoint)
      } else {
        experts = nil
      }
      self.checkpoint = checkpoint
    } catch let error as Failure {
      throw error
    } catch let error as PlanFileError {
      throw Failure(error)
    } catch let error as CheckpointError {
      throw Failure(error)
    } catch {
      throw Failure(.internalFault, "\(error)")
    }
    topK = measure.topK ?? (measure.kind == .slots ? checkpoint?.expertsPerToken : nil)
    self.inputs = inputs
  }

  /// Names that each table lists, with its path.
  var listed: [(source: String, names: [String])] {
    [
      table.map { ($0.source, Array($0.values.keys)) },
      programs.map { ($0.source, Array($0.values.keys)) },
    ].compactMap { $0 }
  }

  /// α and the factor of γ of a unit, where `--program` gives them.
  func program(of unit: String) -> UnitPrograms.Numbers? { programs?.values[unit] }

  var parameter: ParameterValue {
    switch rule {
    case .given(.uniform(let cost)): .number(cost)
    case .given(.table): .text("table")
    case .given: .text("parameters")
    case .expert(.bytes): .text("expert bytes")
    case .expert(.parameters): .text("expert parameters")
    case .adapter: .text("in + out")
    case .modules: .text("modules")
    }
  }

  func cost(of unit: ScoresDocument.Unit) throws(Failure) -> Double {
    switch rule {
    case .given(.uniform(let cost)): return cost
    case .given(.parameters):
      guard unit.parameters > 0 else {
        throw Failure(
          .badData,
          "unit \"\(unit.name)\" has no parameter count, which --cost parameters needs; add a "
            + "parameters column to the scores")
      }
      return Double(unit.parameters)
    case .given:
      guard let table, let cost = table.values[unit.name] else {
        throw Failure(
          .badData,
          "\(table?.source ?? "costs"): has no cost for unit \"\(unit.name)\"; every unit needs one"
        )
      }
      return cost
    case .expert(let measure): return try cost(ofExpertIn: unit, measure)
    case .adapter(let perParameter):
      return perParameter * Double(try shapes(of: unit).reduce(0) { $0 + $1.inputs + $1.outputs })
    case .modules: return Double(max(unit.modules.count, 1))
    }
  }

  private func cost(
    ofExpertIn unit: ScoresDocument.Unit, _ measure: CostRule.ExpertMeasure
  ) throws(Failure) -> Double {
    do throws(CheckpointError) {
      guard let found = try experts?.experts(of: unit.name) else {
        throw .mismatch(
          "\(checkpoint?.path ?? ""): unit \"\(unit.name)\" has no tensors named …experts.…; leave it "
            + "out with --exclude, or give --cost")
      }
      return Double(measure == .bytes ? found.bytes : found.parameters)
    } catch {
      throw Failure(error)
    }
  }

  /// Of the unit's matrices: the checkpoint's, else those of the scores, where a bias that was counted
  /// with the weights is one input more.
  private func shapes(
    of unit: ScoresDocument.Unit
  ) throws(Failure) -> [(outputs: Int, inputs: Int)] {
    let detail = unit.modulesDetail.filter { $0.shape.count == 2 }
    if let checkpoint {
      let known = Dictionary(
        detail.map { (NaturalName($0.name), $0.shape) }, uniquingKeysWith: { first, _ in first })
      let names = unit.modules.isEmpty ? [unit.name] : unit.modules
      do throws(CheckpointError) {
        let modules = names.map { name in
          let shape = known[NaturalName(name)]
          return ModuleShape(name: name, outputs: shape?[0], inputs: shape?[1])
        }
        return try checkpoint.weights(of: modules).map { ($0.outputs, $0.inputs) }
      } catch {
        throw Failure(error)
      }
    }
    guard !detail.isEmpty, detail.count == unit.modulesDetail.count else {
      throw Failure(
        .badData,
        "unit \"\(unit.name)\" does not say the shapes of its modules, which the cost of a rank needs; "
          + "give --checkpoint DIR, --cost, or scores of layerbudget score")
    }
    return detail.map { ($0.shape[0], $0.shape[1]) }
  }
}
