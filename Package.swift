// swift-tools-version: 6.2
import PackageDescription

// One settings array for every Swift target: what the compiler can check, it checks.
// LAYERBUDGET_STRICT=1 (set by .ci/run) also turns warnings into errors; it is not the default
// because it would break packages that depend on us whenever a newer compiler learns to warn.
let strict: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ] + (Context.environment["LAYERBUDGET_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)])

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: strict)
}

func tests(
  of name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], resources: resources,
    swiftSettings: strict)
}

// Only Tests/Fuzzing/run builds it: it has to be linked with libFuzzer.
let fuzzer: [Target] =
  Context.environment["LAYERBUDGET_FUZZER"] == nil
  ? []
  : [
    .systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzzing/CLibFuzzer"),
    .executableTarget(
      name: "layerbudget-fuzz", dependencies: ["CLibFuzzer", "FuzzTargets"],
      path: "Tests/Fuzzing/Fuzzer", swiftSettings: strict),
  ]

// Only launch/test fetches it: users of the package should not have to.
let documentation: [Package.Dependency] =
  Context.environment["LAYERBUDGET_DOCC"] == nil
  ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0")]

let package = Package(
  name: "LayerBudget",
  products: [
    .executable(name: "layerbudget", targets: ["layerbudget"]),
    .library(name: "Curvature", targets: ["Curvature"]),
    .library(name: "Allocation", targets: ["Allocation"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0")
  ] + documentation,
  targets: [
    // MARK: C, each behind one Swift room, the loops behind two
    .systemLibrary(
      name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .target(name: "CMPIShim", dependencies: ["COpenMPI"], exclude: ["README.md"]),
    .target(name: "CVectorLoops", exclude: ["README.md"]),

    // MARK: Rooms that touch raw pointers
    room("Collectives"),
    room("OpenMPICollectives", ["CMPIShim", "Collectives"]),
    room("DenseLinearAlgebra", ["COpenBLAS", "CVectorLoops"]),
    room("TensorFiles", ["CVectorLoops"]),

    // MARK: Ideas
    room("Curvature", ["DenseLinearAlgebra", "TensorFiles"]),
    room("Allocation", ["Collectives"]),
    room("Placement"),

    room("Checkpoints", ["DenseLinearAlgebra", "TensorFiles", "Curvature"]),
    room("Pruning", ["DenseLinearAlgebra", "TensorFiles", "Checkpoints"]),

    // MARK: Files, workflow, command
    room("PlanFiles"),
    room("HTMLReport", ["PlanFiles"]),
    room("Exports", ["PlanFiles", "Checkpoints", "Curvature", "TensorFiles"]),
    room(
      "Workflow",
      [
        "Collectives", "TensorFiles", "DenseLinearAlgebra", "Curvature", "Allocation",
        "Checkpoints", "Pruning", "Placement", "PlanFiles", "Exports",
        "HTMLReport",
      ]),
    .executableTarget(
      name: "layerbudget",
      dependencies: [
        "Workflow", "OpenMPICollectives", "Collectives", "Allocation", "Curvature", "Pruning",
        "PlanFiles", "Exports", "HTMLReport", "TensorFiles",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["README.md"], swiftSettings: strict),

    .executableTarget(
      name: "layerbudget-bench",
      dependencies: [
        "Allocation", "Collectives", "Curvature", "DenseLinearAlgebra", "OpenMPICollectives",
        "Pruning", "TensorFiles", "Workflow",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["README.md"], swiftSettings: strict),

    // MARK: Tests
    .target(
      name: "TestSupport", dependencies: ["TensorFiles"], path: "Tests/TestSupport",
      swiftSettings: strict),
    tests(of: "TestSupportTests"),
    tests(of: "CollectivesTests", ["Collectives"]),
    tests(of: "DenseLinearAlgebraTests", ["DenseLinearAlgebra", "CVectorLoops"]),
    tests(of: "TensorFilesTests", ["TensorFiles"]),
    tests(
      of: "CurvatureTests", ["Curvature", "DenseLinearAlgebra", "TensorFiles"],
      resources: [.copy("Fixtures")]),
    tests(of: "CheckpointsTests", ["Checkpoints", "DenseLinearAlgebra", "TensorFiles"]),
    tests(of: "PruningTests", ["Pruning", "Checkpoints", "DenseLinearAlgebra", "TensorFiles"]),
    tests(of: "PlacementTests", ["Placement"]),
    tests(of: "AllocationTests", ["Allocation", "Collectives"], resources: [.copy("Problems")]),
    tests(of: "PlanFilesTests", ["PlanFiles"]),
    tests(of: "ExportsTests", ["Exports", "PlanFiles", "Checkpoints", "TensorFiles"]),
    tests(of: "HTMLReportTests", ["HTMLReport", "PlanFiles"]),
    tests(of: "WorkflowTests", ["Workflow", "Collectives", "TensorFiles"]),
    tests(of: "CommandLineTests", ["TensorFiles"]),
    tests(of: "RankedTests", ["OpenMPICollectives", "Collectives"]),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "TensorFiles", "Checkpoints", "Curvature", "Allocation", "Collectives", "PlanFiles",
        "Workflow",
      ],
      path: "Tests/Fuzzing/Targets", swiftSettings: strict),
    .testTarget(
      name: "FuzzingTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzzing/Tests",
      swiftSettings: strict),
    .target(
      name: "ImportProbe",
      dependencies: [
        "Collectives", "DenseLinearAlgebra", "TensorFiles", "Curvature", "Allocation",
      ],
      path: "Tests/ImportProbe", swiftSettings: strict),
    // What docs/library/Example is built of, here so that every build compiles it.
    .executableTarget(
      name: "LibraryExample", dependencies: ["Curvature", "Allocation"],
      path: "docs/library/Example/Sources/Example"),
  ] + fuzzer
)
