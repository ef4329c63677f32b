/// The readers of files that may come from anywhere, each fed with one file's bytes.
///
/// A reader may refuse its input with a typed error. It must not trap, hang, or use memory out of
/// proportion; what it accepts must hold what its documentation promises.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// A safetensors file: as tensors, as statistics.
  case headers
  /// `model.safetensors.index.json` beside two good shards.
  case index
  /// A plan: verified, and read as `apply`, `place` and `export` read it.
  case plan
  /// Scores of ours or of other programs.
  case scores
  /// CSV tables, names, NumPy vectors' neighbours: what options take as a file.
  case tables
  /// Node lists and host files, loads of experts.
  case nodes
  /// Scores on the whole road to plans of both programs.
  case planning
  /// What a run that goes on finds in the journal of an earlier one.
  case journal

  public func read(_ bytes: [UInt8]) {
    switch self {
    case .headers: TensorReaders.readFile(bytes)
    case .index: TensorReaders.readIndex(bytes)
    case .plan: DocumentReaders.readPlan(bytes)
    case .scores: DocumentReaders.readScores(bytes)
    case .tables: DocumentReaders.readTables(bytes)
    case .nodes: DocumentReaders.readNodes(bytes)
    case .planning: PlanningRoad.plan(bytes)
    case .journal: JournalReaders.readJournal(bytes)
    }
  }
}
