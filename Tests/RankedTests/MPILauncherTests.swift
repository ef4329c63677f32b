import Testing

@testable import OpenMPICollectives

/// Needs no launcher: the environments are made up.
@Suite("What the environment says of the launcher")
struct MPILauncherTests {
  @Test(
    "A launcher is seen by its variables",
    arguments: [
      ([:], false, nil),
      (["PATH": "/bin"], false, nil),
      (["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3"], true, 3),
      (["PMIX_RANK": "2"], true, 2),
      (["PMI_RANK": "1", "PMI_SIZE": "2"], true, 1),
      (["PMI_SIZE": "2"], true, nil),
      (["SLURM_PROCID": "5"], false, 5),
      (["OMPI_COMM_WORLD_RANK": "1", "SLURM_PROCID": "0"], false, 1),
      (["PMIX_RANK": "nonsense", "PMI_RANK": "7"], true, 7),
      (["PMIX_RANK": "-1"], true, nil),
    ] as [([String: String], Bool, Int?)])
  func environments(variables: [String: String], isPresent: Bool, rank: Int?) {
    #expect(MPILauncher.isPresent(in: { variables[$0] }) == isPresent)
    #expect(MPILauncher.rankHint(in: { variables[$0] }) == rank)
  }

  @Test(
    "How many processes were started together",
    arguments: [
      ([:], nil),
      (["OMPI_COMM_WORLD_SIZE": "4", "SLURM_STEP_NUM_TASKS": "2"], 4),
      (["PMI_SIZE": "3"], 3),
      (["SLURM_STEP_NUM_TASKS": "8", "SLURM_NTASKS": "8"], 8),
      // The script of a batch job: its tasks are not started yet.
      (["SLURM_NTASKS": "8", "SLURM_PROCID": "0"], nil),
      (["PMI_SIZE": "many", "SLURM_STEP_NUM_TASKS": "0"], nil),
    ] as [([String: String], Int?)])
  func processes(variables: [String: String], started: Int?) {
    #expect(MPILauncher.startedProcesses(in: { variables[$0] }) == started)
  }
}
