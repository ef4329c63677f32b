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
    case png(ReportChart)
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
      if case .png = format { try PNGPicture.requireProgram() }
      do throws(TensorFileError) { try DurableFile.requireWritable(output) } catch {
        throw Failure(error)
      }
      let contents = try ReportInputs(self).contents
      let bytes = try bytes(of: contents)
      do throws(TensorFileError) { try DurableFile.write(bytes, to: output) } catch {
        throw Failure(error)
      }
      return Written(
        path: output, bytes: bytes.count, units: contents.plan.units.count,
        notes: contents.remarks)
    }
  }

  private func bytes(of contents: ReportContents) throws(Failure) -> [UInt8] {
    let page = ReportPage(contents)
    return switch format {
    case .html: Array(page.html.utf8)
    case .svg(let chart): Array(try drawing(of: chart, on: page).utf8)
    case .png(let chart): try PNGPicture.bytes(of: try drawing(of: chart, on: page))
    }
  }

  private func drawing(of chart: ReportChart, on page: ReportPage) throws(Failure) -> String {
    let (document, reason) = page.svg(chart)
    guard let document else {
      throw Failure(
        .badData, "\(plan): there is no chart \"\(chart.rawValue)\" to draw. \(reason)")
    }
    return document
  }
}
