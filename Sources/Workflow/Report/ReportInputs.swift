internal import Curvature
internal import HTMLReport
internal import PlanFiles

/// The files of a report, read, checked against each other and put in the plan's order.
struct ReportInputs {
  let contents: ReportContents

  /// - Throws: `missingInput` for a named file that is not there, `badData` for one that is not what it
  ///   should be. Files that seem to belong to another plan give a remark.
  init(_ request: ReportRequest) throws(Failure) {
    let file = try InputFile(path: request.plan)
    let plan = try Self.plan(in: file)
    var sources = [ReportContents.Source(role: "plan", fingerprint: InputFingerprint(file))]
    var remarks: [String] = []
    var contents = ReportContents(
      plan: plan, price: ReportContents.PriceCurve(of: plan), version: LayerBudgetVersion.current)

    if let path = request.scores {
      let scores = try InputFile(path: path)
      sources.append(.init(role: "scores", fingerprint: InputFingerprint(scores)))
      contents.gradientNorms = try Self.gradientNorms(in: scores, of: plan, remarks: &remarks)
    }
    if let run = try Self.runFile(request) {
      let document = try Self.document(RunDocument.self, in: run, RunDocument.format, \.format)
      // `apply plan.json -o plan` writes its own run file over the plan's.
      if request.run == nil, document.command != (plan.program == .capacity ? "allocate" : "prune")
      {
        remarks.append(
          "The run file beside the plan is another command's, and is left out; --run takes it all the same."
        )
      } else {
        sources.append(.init(role: "run file", fingerprint: InputFingerprint(run)))
        contents.run = document
      }
    }
    if let path = request.placement {
      let placement = try InputFile(path: path)
      sources.append(.init(role: "placement", fingerprint: InputFingerprint(placement)))
      let document = try Self.document(
        PlacementDocument.self, in: placement, PlacementDocument.format, \.format)
      try Self.requireNodes(document, source: path)
      if let made = document.inputs["plan"], made.contents != file.checksum.hexadecimal {
        remarks.append("The placement was made from another plan than this one.")
      }
      contents.placement = document
    }
    contents.sources = sources
    contents.remarks = remarks
    self.contents = contents
  }

  private static func document<Document: Decodable>(
    _ type: Document.Type, in file: InputFile, _ format: String, _ said: (Document) -> String
  ) throws(Failure) -> Document {
    let document: Document
    do throws(PlanFileError) {
      document = try DocumentCoding.decode(type, from: file.bytes, source: file.path)
    } catch {
      throw Failure(error)
    }
    guard said(document) == format else {
      throw Failure(
        .badData,
        "\(file.path): its format is \"\(said(document))\", but a report needs \"\(format)\" here; see "
          + "layerbudget report --help")
    }
    return document
  }

  private static func plan(in file: InputFile) throws(Failure) -> PlanDocument {
    if let format = DocumentCoding.format(of: file.bytes), format != PlanDocument.format {
      throw Failure(
        .badData,
        "\(file.path): its format is \"\(format)\", but report needs \"\(PlanDocument.format)\"; make a "
          + "plan with layerbudget allocate or prune")
    }
    let plan = try document(PlanDocument.self, in: file, PlanDocument.format, \.format)
    guard !plan.units.isEmpty else {
      throw Failure(.badData, "\(file.path): holds no unit; there is nothing to report")
    }
    return plan
  }

  /// The named run file, or the one beside the plan where there is one.
  private static func runFile(_ request: ReportRequest) throws(Failure) -> InputFile? {
    if let path = request.run { return try InputFile(path: path) }
    return try? InputFile(path: OutputDocuments(path: request.plan).runPath)
  }

  private static func gradientNorms(
    in file: InputFile, of plan: PlanDocument, remarks: inout [String]
  ) throws(Failure) -> [Double?] {
    let scores = try GainSource.scores(in: file)
    if let made = plan.inputs["scores"], made.contents != file.checksum.hexadecimal {
      remarks.append("The scores are not those that the plan was made from.")
    }
    var norms: [NaturalName: Double?] = [:]
    for unit in scores.units { norms[NaturalName(unit.name)] = .some(unit.gradientNormSquared) }
    let matched = plan.units.map { norms[NaturalName($0.name)] }
    let missing = matched.count { $0 == nil }
    guard missing < plan.units.count else {
      throw Failure(
        .badData,
        "\(file.path): holds none of the plan's units, such as \"\(plan.units[0].name)\"; give the scores "
          + "of the same grouping (--group-by)")
    }
    if missing > 0 {
      remarks.append("The scores lack \(missing) of the plan's \(plan.units.count) units.")
    }
    if scores.units.allSatisfy({ $0.gradientNormSquared == nil }) {
      remarks.append("The scores hold no gradient norms.")
    }
    return matched.map { $0 ?? nil }
  }

  private static func requireNodes(
    _ placement: PlacementDocument, source: String
  ) throws(Failure) {
    for unit in placement.units {
      if let node = unit.slots.first(where: { !placement.nodes.indices.contains($0) }) {
        throw Failure(
          .badData,
          "\(source): a slot of unit \"\(unit.name)\" lies on node \(node), but there are "
            + "\(placement.nodes.count) nodes, counted from 0")
      }
    }
  }
}
