internal import ArgumentParser

@main
struct LayerBudgetBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "layerbudget-bench",
    abstract: "Measure what layerbudget does; every subcommand prints JSON.",
    subcommands: [
      AllreduceBench.self, GainBench.self, GemmBench.self, PriceBench.self, TransferBench.self,
    ])
}
