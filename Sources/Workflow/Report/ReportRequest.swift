public import Collectives
internal import Curvature
public import HTMLReport
internal import PlanFiles
internal import TensorFiles

/// `layerbudget report`: a plan in, a page or a chart out.
public struct ReportRequest: Sendable {
  public enum Format: Sendable, Equatable {
    case html
    case svg(ReportChart)
  }
  public var plan: String
  public var format: Format
  /// Scores whose gradient norms are shown beside the gains.
  public var scores: String?
  public var placement: String?
  /// The run file; by default the one beside the plan, where there is one.
  public var run: String?
  public var output: String

  public init(plan: String, format: Format, output: String) {
    self.plan = plan
    self.format = format
    self.output = output
  }

  /// What was written.
  public struct Written: Encodable, Sendable {
    public let path: String
    public let bytes: Int
    public let units: Int
    /// What a reader should know of the files.
    public let notes: [String]
  }

  /// plan, scores, run file, placement → page → file.
  ///
  /// Collective: rank 0 reads, makes the page and writes it, for there is nothing to share; it returns
  /// what was written, nil elsewhere. Throws the same failure on every rank.
  public func run(over world: borrowing some Collective & ~Copyable) throws(Failure) -> Written? {
    let rank = world.rank
    return try agreed(over: world) { () throws(Failure) in
      guard rank == 0 else { return nil }
      do throws(TensorFileError) { try DurableFile.requireWritable(output) } catch {
        throw Failure(error)
      }
      let contents = try ReportInputs(self).contents
      let text = try text(of: contents)
      do throws(TensorFileError) { try DurableFile.write(Array(text.utf8), to: output) } catch {
        throw Failure(error)
      }
      return Written(
        path: output, bytes: text.utf8.count, units: contents.plan.units.count,
        notes: contents.remarks)
    }
  }

  private func text(of contents: ReportContents) throws(Failure) -> String {
    let page = ReportPage(contents)
    switch format {
    case .html: return page.html
    case .svg(let chart):
      let (document, reason) = page.svg(chart)
      guard let document else {
        throw Failure(
          .badData,
          "\(plan): there is no chart \"\(chart.rawValue)\" to draw. \(reason)")
      }
      return document
    }
  }
}
