internal import Collectives
internal import Curvature
internal import PlanFiles

extension PlanVerification {
  /// The plan made again from its inputs, and every field of the file compared with it.
  ///
  /// Where inputs that can be read give no plan, that is a disagreement like any other.
  /// Collective; only rank 0 compares.
  mutating func check(
    _ file: InputFile, _ plan: PlanDocument, against request: PlanRequest,
    _ inputs: VerificationInputs, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    let found: PlanDocument?
    do throws(Failure) {
      found = try request.make(over: world)?.plan
    } catch {
      guard error.code == .badData || error.code == .infeasible else { throw error }
      try noteOtherScores(plan, inputs)
      disagreements.append("the plan cannot be made again: \(error.message)")
      return
    }
    // Rank 0's alone; bytes that have been decoded and encoded once cannot fail now.
    guard var found else { return }
    for input in inputs.all where input.path == nil && plan.inputs[input.key] != nil {
      found.inputs[input.key] = plan.inputs[input.key]
      unchecked.append("the plan's own numbers of \(input.key) (give \(input.option))")
    }
    if inputs.nodes == nil, let share = plan.parameters["node_share"] {
      found.parameters["node_share"] = share
      unchecked.append("the budget as a share of the nodes' memory")
    }
    compare(file, found)
    if plan.inputs["statistics"] != nil, plan.inputs == found.inputs,
      Self.areGainsAlikeButForRounding(plan, found)
    {
      cause =
        "the gains computed anew differ from the plan's in their last bits alone, as other BLAS "
        + "kernels or --threads than those of the plan's run give other last bits; verify with the "
        + "kernels (OPENBLAS_CORETYPE) and --threads of that run, or make the plan again"
    }
    let names = inputs.all.filter { $0.path != nil }.map(\.key)
    checked.append(
      "every field of \(plan.units.count) units and of the plan, by making it again from "
        + names.joined(separator: ", "))
  }

  /// Other inputs first, as they explain the rest.
  private mutating func compare(_ file: InputFile, _ found: PlanDocument) {
    guard let bytes = try? DocumentCoding.encode(found),
      let new = try? DocumentCoding.decode(DocumentTree.self, from: bytes, source: file.path),
      let old = try? DocumentCoding.decode(DocumentTree.self, from: file.bytes, source: file.path)
    else {
      disagreements.append("the plan made again cannot be written as JSON: a number is not finite")
      return
    }
    let differences = old.differences(from: new)
    let others = Set(differences.filter { $0.place.first == "inputs" }.map { $0.place[1] })
    for input in others.sorted() {
      disagreements.append("\(input): not what the plan was made from")
    }
    for difference in differences where difference.place.first != "inputs" {
      func text(_ value: DocumentTree?) -> String { value.map { "\($0)" } ?? "not there" }
      disagreements.append(
        "\(Self.name(of: difference.place)) is \(text(difference.stored)), but "
          + "\(text(difference.found)) when made again")
    }
  }

  /// Whether gains differ, none by more than other kernels round them.
  ///
  /// Kernels of four kinds of processor and one or two threads moved gains of the example by up to
  /// 3.5e-8 of the largest in single and 2.4e-16 in double; larger modules may take more.
  private static func areGainsAlikeButForRounding(
    _ plan: PlanDocument, _ found: PlanDocument
  ) -> Bool {
    guard plan.units.map(\.name) == found.units.map(\.name) else { return false }
    let pairs = zip(plan.units, found.units).map { (stored: $0.gain, found: $1.gain) }
    let isDouble = PlanOptions(plan).text("precision") == Precision.double.rawValue
    let largest = pairs.map(\.found).max() ?? 0
    let rounding = largest * (isDouble ? 0x1p-40 : 0x1p-16)
    return pairs.contains { $0.stored != $0.found }
      && pairs.allSatisfy { abs($0.stored - $0.found) <= rounding }
  }

  /// Scores are compared before they are used: other units would give no plan at all.
  private mutating func noteOtherScores(
    _ plan: PlanDocument, _ inputs: VerificationInputs
  ) throws(Failure) {
    guard let path = inputs.scores, let input = plan.inputs["scores"],
      try InputFile(path: path).checksum.hexadecimal != input.contents
    else { return }
    disagreements.append("scores: not what the plan was made from")
  }

  /// `unit "model.layers.3": quality`, `certificate: gap`, `price`.
  private static func name(of place: [String]) -> String {
    guard place.count > 1 else { return place.first ?? "the document" }
    let rest = place.dropFirst(place[0] == "units" ? 2 : 1).joined(separator: ": ")
    guard place[0] == "units" else { return "\(place[0]): \(rest)" }
    return "unit \"\(place[1])\"" + (rest.isEmpty ? "" : ": \(rest)")
  }
}
