internal import FoundationEssentials
internal import TensorFiles

/// Turns a chart into a PNG, by the program that comes with librsvg.
enum PNGPicture {
  private static let program = "rsvg-convert"
  /// Points of the picture per unit of the drawing.
  private static let scale = 2

  /// Refuses where the program is not there; asked before any work is done.
  static func requireProgram() throws(Failure) {
    guard OtherProgram.path(of: program) == nil else { return }
    throw Failure(
      .infeasible,
      "--format png takes \(program), which is not on the PATH; install the package librsvg2-bin "
        + "(Debian, Ubuntu) or librsvg2-tools (Fedora), or take --format svg")
  }

  /// The picture's bytes, 1440 pixels wide for a drawing of 720. Which bytes, depends on librsvg's
  /// version and the fonts that are installed.
  static func bytes(of svg: String) throws(Failure) -> [UInt8] {
    guard let program = OtherProgram.path(of: program) else { throw failure("it is gone") }
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "layerbudget-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (drawing, picture) = ("\(folder)/chart.svg", "\(folder)/chart.png")
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: false)
      try DurableFile.write(Array(svg.utf8), to: drawing)
      try OtherProgram.run(program, ["--zoom", "\(scale)", "-o", picture, drawing])
    } catch {
      throw failure("\(error)")
    }
    guard let data = FileManager.default.contents(atPath: picture) else {
      throw failure("it wrote nothing")
    }
    return Array(data)
  }

  private static func failure(_ cause: String) -> Failure {
    Failure(.cannotWrite, "\(program) made no picture: \(cause); try --format svg")
  }
}
