internal import ArgumentParser
internal import Workflow

/// The journal of gains beside an output, of commands that keep one.
struct JournalOptions: ParsableArguments {
  @Flag(
    inversion: .prefixedNo,
    help: "With --statistics: go on with what a run that was stopped had done.")
  var resume = true

  /// What it says goes to standard error.
  func request(beside output: String?, _ printing: OutputOptions) -> JournalRequest? {
    output.map { output in
      var journal = JournalRequest(beside: output)
      journal.resumes = resume
      if !printing.quiet { journal.note = Printed.note }
      return journal
    }
  }
}
