internal import Collectives
internal import Curvature
internal import PlanFiles

extension GainSource {
  /// This rank's gains: computed from statistics, or read from a scores file. Collective.
  func gains(over world: borrowing some Collective & ~Copyable) throws(Failure) -> SlicedGains {
    switch self {
    case .statistics(let request): try request.computeGains(over: world)
    case .scores(let path, let names): try Self.readScores(path, names: names, over: world)
    }
  }

  /// Reads a scores file on every rank and keeps every size-th unit. Collective.
  private static func readScores(
    _ path: String, names: String?, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> SlicedGains {
    let file = try agreed(over: world) { () throws(Failure) in try InputFile(path: path) }
    try requireSameInput(file.checksum, what: path, over: world)
    let namesFile = try agreed(over: world) { () throws(Failure) in
      try names.map { path throws(Failure) in try InputFile(path: path) }
    }
    if let namesFile {
      try requireSameInput(namesFile.checksum, what: namesFile.path, over: world)
    }
    let document = try agreed(over: world) { () throws(Failure) in
      try scores(in: file, names: namesFile)
    }
    var inputs = ["scores": InputFingerprint(file)]
    inputs["score_names"] = namesFile.map(InputFingerprint.init)
    let mine = stride(from: world.rank, to: document.units.count, by: world.size).map {
      UnitGain(index: $0, unit: document.units[$0])
    }
    return SlicedGains(
      units: mine, totalUnits: document.units.count, curvature: document.curvature,
      damping: document.damping,
      parameters: [
        "curvature": .text(document.curvature), "damping": .text(document.damping),
      ],
      inputs: inputs,
      notes: (document.curvature == "external" ? document.notes : [])
        + LayerGaps.notes(of: document.units.map(\.name)),
      slice: RunDocument.Slice(
        rank: world.rank, units: mine.count, modules: 0, operations: 0, seconds: 0, peakBytes: 0),
      seconds: 0)
  }

  /// A scores document of `score` or of another program, its units checked and in natural order.
  static func scores(
    in file: InputFile, names: InputFile? = nil
  ) throws(Failure) -> ScoresDocument {
    var document: ScoresDocument
    do throws(PlanFileError) {
      if DocumentCoding.format(of: file.bytes) != nil {
        guard names == nil else {
          throw .invalid("\(file.path): names its units itself; leave --score-names out")
        }
        document = try DocumentCoding.decode(
          ScoresDocument.self, from: file.bytes, source: file.path)
      } else {
        let names = try names.map { file throws(PlanFileError) in
          try UnitNames(bytes: file.bytes, source: file.path)
        }
        let foreign = try ForeignScores(bytes: file.bytes, source: file.path, names: names)
        document = ScoresDocument(
          curvature: "external", damping: "none", parameters: [:], units: foreign.units,
          inputs: [:], notes: foreign.note.map { [$0] } ?? [])
      }
    } catch {
      throw Failure(error)
    }
    guard document.format == ScoresDocument.format else {
      throw Failure(
        .badData,
        "\(file.path): its format is \"\(document.format)\", but scores need "
          + "\"\(ScoresDocument.format)\"; make them with layerbudget score")
    }
    guard !document.units.isEmpty else {
      throw Failure(.badData, "\(file.path): holds no unit; a plan needs at least one")
    }
    var seen: Set<NaturalName> = []
    for unit in document.units {
      guard !unit.name.isEmpty else {
        throw Failure(.badData, "\(file.path): holds a unit without a name; give every unit one")
      }
      guard seen.insert(NaturalName(unit.name)).inserted else {
        throw Failure(
          .badData, "\(file.path): unit \"\(unit.name)\" is listed twice; remove one of them")
      }
      guard unit.gain.isFinite, unit.gain >= 0, unit.parameters >= 0 else {
        throw Failure(
          .badData,
          "\(file.path): unit \"\(unit.name)\" has gain \(unit.gain) and \(unit.parameters) "
            + "parameters, but both must be finite and not negative; clip noise at 0 first")
      }
    }
    document.units.sort { NaturalName($0.name) < NaturalName($1.name) }
    return document
  }
}

extension InputFingerprint {
  /// Of a small file that was read whole.
  init(_ file: InputFile) {
    self.init(bytes: file.bytes.count, headers: nil, contents: file.checksum.hexadecimal)
  }
}
