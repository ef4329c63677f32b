import Foundation
import TestSupport
import Testing

/// From plans of every kind to pages, by the command alone.
@Suite("Reporting", .serialized)
struct ReportTests {
  private static let statistics = ["--statistics", Tool.exampleStatistics]

  /// Words that plan each kind, and whether its program has a closed form.
  private static let kinds: [(name: String, plan: [String], hasCurve: Bool)] = [
    ("whole slots", ["allocate"] + statistics + ["--budget", "160", "--integer"], true),
    ("continuous", ["allocate"] + statistics + ["--budget", "160", "--min", "8"], true),
    (
      "power",
      ["allocate"] + statistics + ["--budget", "160", "--utility", "power:0.5", "--spend", "all"],
      true
    ),
    (
      "spectrum",
      ["allocate"] + statistics + [
        "--unit", "rank", "--utility", "spectrum", "--budget", "20k parameters", "--integer",
      ], false
    ),
    ("pruning", ["prune"] + statistics + ["--sparsity", "0.5"], true),
    (
      "measured",
      ["prune"] + statistics + [
        "--sparsity", "0.5", "--psi", "measured", "--checkpoint", Tool.exampleModel,
      ], false
    ),
    ("pattern", ["prune"] + statistics + ["--sparsity", "0.3", "--pattern", "2:4"], false),
  ]

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  @Test(
    "Every kind of plan has a page, and a price curve where its program has a closed form",
    arguments: kinds.map(\.name))
  func pages(name: String) throws {
    let kind = try #require(Self.kinds.first { $0.name == name })
    try temporaryFolder { folder in
      let plan = "\(folder)/plan.json"
      let planned = try Tool.run(kind.plan + ["-o", plan, "--quiet"])
      #expect(planned.status == 0, "\(planned.errors)")
      let outcome = try Tool.run(["report", plan, "-o", "\(folder)/page.html"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      let page = try text("\(folder)/page.html")
      #expect(page.contains("(found)</th>") == kind.hasCurve)
      #expect(page.contains("The price curve is left out") != kind.hasCurve)
      #expect(
        page.contains("<h2 id=\"search\">How the price was found</h2><p>")
          && page.contains("rounds"))
      #expect(page.contains("model.layers.11</th>"))
      #expect(!page.contains(folder))
    }
  }

  @Test(
    "Scores of another program with hostile names, a placement, and the same bytes on two ranks")
  func external() throws {
    try temporaryFolder { folder in
      let (scores, plan) = ("\(folder)/scores.csv", "\(folder)/plan.json")
      try "name,gain\n<script>alert(1)</script>,3\nlayer.10,0.5\nlayer.9,2\n".write(
        toFile: scores, atomically: true, encoding: .utf8)
      #expect(
        try Tool.run([
          "allocate", "--scores", scores, "--budget", "20", "--integer", "-o", plan, "--quiet",
        ]).status == 0)
      let nodes = "\(folder)/nodes.json"
      try #"{"nodes":[{"name":"<n0>","memory_bytes":900},{"name":"n1","memory_bytes":1500}]}"#
        .write(
          toFile: nodes, atomically: true, encoding: .utf8)
      let placement = "\(folder)/placement.json"
      #expect(
        try Tool.run([
          "place", plan, "--nodes", nodes, "--bytes-per-slot", "100", "-o", placement, "--quiet",
        ]).status == 0)
      let arguments = [
        "report", plan, "--scores", scores, "--placement", placement, "--json", "-o",
      ]
      let alone = try Tool.run(arguments + ["\(folder)/one.html"])
      #expect(alone.status == 0 && alone.output.contains("\"units\" : 3"), "\(alone.errors)")
      #expect(try Tool.run(arguments + ["\(folder)/two.html"], ranks: 2).status == 0)
      let page = try text("\(folder)/one.html")
      #expect(try page == text("\(folder)/two.html"))
      #expect(!page.contains("<script>") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
      #expect(page.contains("&lt;n0&gt;") && page.contains("20 slots of 3 units on 2 nodes"))
      #expect(page.contains("The scores hold no gradient norms."))
    }
  }

  @Test("One chart as SVG, and refusals that name what is wrong")
  func chartsAndRefusals() throws {
    try temporaryFolder { folder in
      let (scores, plan) = ("\(folder)/scores.json", "\(folder)/plan.json")
      #expect(
        try Tool.run(["score"] + Self.statistics + ["-o", scores, "--quiet"]).status == 0)
      #expect(
        try Tool.run(["prune", "--scores", scores, "--sparsity", "0.5", "-o", plan, "--quiet"])
          .status == 0)
      let svg = ["report", plan, "--format", "svg", "-o", "\(folder)/chart.svg"]
      #expect(try Tool.run(svg + ["--chart", "gains", "--scores", scores]).status == 0)
      #expect(try text("\(folder)/chart.svg").hasPrefix("<?xml version=\"1.0\""))
      let absent = try Tool.run(svg + ["--chart", "placement"])
      #expect(absent.status == 65 && absent.errors.contains("this plan has none"))

      #expect(try Tool.run(svg).status == 64)
      #expect(try Tool.run(["report", plan, "--format", "png"]).status == 64)
      #expect(try Tool.run(["report", plan, "--chart", "gains"]).status == 64)
      #expect(try Tool.run(["report", plan, "-o", plan]).status == 64)
      let page = ["report", plan, "-o", "\(folder)/page.html"]
      #expect(try Tool.run(page + ["--scores", "\(folder)/none.json"]).status == 66)
      #expect(try Tool.run(page + ["--run", "\(folder)/none.json"]).status == 66)
      #expect(try Tool.run(page + ["--placement", scores]).status == 65)
      let other = try Tool.run(["report", scores, "-o", "\(folder)/page.html"])
      #expect(other.status == 65 && other.errors.contains("layerbudget.scores/1"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/page.html"))
      #expect(try Tool.run(["report", plan, "-o", "\(folder)/none/page.html"]).status == 73)

      // A run file of another command, as `apply plan.json -o plan` leaves it.
      try text("\(folder)/scores.run.json").write(
        toFile: "\(folder)/plan.run.json", atomically: true, encoding: .utf8)
      let foreign = try Tool.run(page)
      #expect(foreign.status == 0 && foreign.errors.contains("another command's"))
      #expect(
        try !text("\(folder)/page.html").contains("<h2 id=\"ranks\">Who did the work</h2><p>1"))
    }
  }

  @Test("A PNG is what rsvg-convert makes of the SVG; without it, or where it fails, there is none")
  func pictures() throws {
    try temporaryFolder { folder in
      let (scores, plan) = ("\(folder)/scores.csv", "\(folder)/plan.json")
      let (picture, program) = ("\(folder)/gains.png", "\(folder)/rsvg-convert")
      try "name,gain\na,3\nb,2\n".write(toFile: scores, atomically: true, encoding: .utf8)
      let planned = ["allocate", "--scores", scores, "--budget", "9", "-o", plan, "--quiet"]
      #expect(try Tool.run(planned).status == 0)
      let chart = ["report", plan, "--chart", "gains", "--format"]
      #expect(try Tool.run(chart + ["svg", "-o", "\(folder)/gains.svg"]).status == 0)
      // The only programs to be found are the one that ends runs that hang, and ours.
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/timeout", withDestinationPath: "/usr/bin/timeout")
      func run() throws -> Tool.Outcome {
        try Tool.run(chart + ["png", "-o", picture], environment: ["PATH": folder])
      }

      let absent = try run()
      #expect(absent.status == 69 && absent.errors.contains("librsvg2-bin"), "\(absent.errors)")
      for (script, status) in [("exit 3", 73), ("exit 0", 73), ("/bin/cp \"$5\" \"$4\"", 0)] {
        #expect(!FileManager.default.fileExists(atPath: picture))
        try "#!/bin/sh\n\(script)\n".write(toFile: program, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        let outcome = try run()
        #expect(outcome.status == Int32(status), "\(script): \(outcome.errors)")
      }
      #expect(try text(picture) == text("\(folder)/gains.svg"))
    }
  }
}
