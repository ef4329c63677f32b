// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Example",
  dependencies: [
    // Elsewhere: .package(url: "https://…/LayerBudget", from: "0.1.0")
    .package(name: "LayerBudget", path: "../../..")
  ],
  targets: [
    .executableTarget(
      name: "Example",
      dependencies: [
        .product(name: "Curvature", package: "LayerBudget"),
        .product(name: "Allocation", package: "LayerBudget"),
      ])
  ])
