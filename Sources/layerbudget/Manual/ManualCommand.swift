internal import ArgumentParser
internal import TensorFiles
internal import Workflow

/// Writes the manual pages out of the help; for `launch/install`, so nobody else is told of it.
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual", abstract: "Write the manual pages.", shouldDisplay: false)

  @Argument(help: "Folder that is there, such as share/man/man1.", completion: .directory)
  var folder: String

  @Option(help: "The pages' date, such as 2026-11-28.")
  var date: String

  func run() throws {
    guard let tool = CommandDescription.ofTool() else {
      return end(with: Failure(.internalFault, "the help cannot be read"))
    }
    let pages =
      [ManualPage(of: tool, in: nil, date: date)]
      + tool.shownSubcommands.map { ManualPage(of: $0, in: tool, date: date) }
    do throws(TensorFileError) {
      for page in pages {
        try DurableFile.write(Array(page.text.utf8), to: "\(folder)/\(page.name).1")
      }
    } catch {
      end(with: Failure(error))
    }
  }

  private func end(with failure: Failure) {
    Process.writeToStandardError("layerbudget: \(failure)\n")
    Process.exit(failure.code.rawValue)
  }
}
