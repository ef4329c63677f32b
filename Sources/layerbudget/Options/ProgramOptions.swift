internal import Allocation
internal import ArgumentParser
internal import Workflow

/// The capacity program's own numbers.
struct CapacityProgramOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Running cost factor alpha.")
  var alpha = 0.5

  @Option(help: "What alpha counts per.")
  var alphaPer = CapacityProgram.AlphaPer.cost

  @Option(parsing: .unconditional, help: "Exponent of the quality.")
  var beta = 1.0

  @Option(
    parsing: .unconditional,
    help: "Weight of the utility, or 'auto': demand at price 0 is 1.25 times the budget.")
  var gamma = "auto"

  @Option(parsing: .unconditional, help: "Offset s of the utility, in log(s + x).")
  var offset = 1.0

  @Option(help: "Spend as-priced (stop where capacity is not worth its cost) or all.")
  var spend = CapacityProgram.Spend.asPriced

  /// The program, without its budget.
  func program() throws -> CapacityProgram {
    var program = CapacityProgram(budget: 1)
    program.alpha = alpha
    program.alphaPer = alphaPer
    program.beta = beta
    program.gamma = try gammaRule()
    program.offset = offset
    program.spend = spend
    return program
  }

  private func gammaRule() throws -> CapacityProgram.Gamma {
    if gamma == "auto" { return .automatic }
    guard let number = Double(gamma), number > 0, number.isFinite else {
      throw ValidationError("--gamma is \(gamma), but must be 'auto' or a positive number")
    }
    return .fixed(number)
  }

  func validate() throws { _ = try gammaRule() }
}
