internal import Glibc

/// What the environment says of the launcher, without starting MPI.
///
/// Starting MPI takes about half a second and needs a healthy machine, so a program looks here first
/// to print its help or a usage error once, and to run alone without MPI.
public enum MPILauncher {
  /// Whether an MPI launcher (mpirun, or srun with PMIx or PMI) started this process.
  public static var isPresent: Bool { isPresent(in: variable) }

  /// This process's rank as far as the environment tells, nil if it does not.
  ///
  /// Good for choosing who prints, not for dividing work. A Slurm batch script, too, is told 0.
  public static var rankHint: Int? { rankHint(in: variable) }

  /// How many processes the environment says were started together with this one, nil if it says
  /// nothing. More than the ranks that MPI knows means that the launcher belongs to another MPI, or
  /// does not speak to this one: every process would take itself for rank 0 of 1 and write the same
  /// output.
  public static var startedProcesses: Int? { startedProcesses(in: variable) }

  static func isPresent(in environment: (String) -> String?) -> Bool {
    ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"].contains {
      environment($0) != nil
    }
  }

  static func rankHint(in environment: (String) -> String?) -> Int? {
    for name in ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID", "PMI_RANK"] {
      if let text = environment(name), let rank = Int(text), rank >= 0 { return rank }
    }
    return nil
  }

  static func startedProcesses(in environment: (String) -> String?) -> Int? {
    // mpirun inside of a Slurm job has one Slurm task per host, so Open MPI's own word comes first.
    for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"] {
      if let text = environment(name), let size = Int(text), size > 0 { return size }
    }
    return nil
  }

  private static func variable(_ name: String) -> String? {
    guard let text = unsafe getenv(name) else { return nil }
    return unsafe String(cString: text)
  }
}
