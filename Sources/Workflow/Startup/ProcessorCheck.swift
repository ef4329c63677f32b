internal import DenseLinearAlgebra

/// Whether this build can run on this processor, asked first of all: its vector instructions would end the
/// process without a word.
public enum ProcessorCheck {
  /// What to tell the user; nil where all is well.
  public static var failure: Failure? {
    InstructionSet.missing.map { instructions in
      Failure(
        .misconfigured,
        "this layerbudget was built for processors with \(instructions), which that of \(HostName.own) does "
          + "not have; install it without --cpu, or for each kind of host")
    }
  }
}
