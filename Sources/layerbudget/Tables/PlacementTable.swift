internal import PlanFiles
internal import Workflow

/// What lies where: a row per node, then the whole.
struct PlacementTable {
  private let document: PlacementDocument
  private let run: RunDocument

  init(_ document: PlacementDocument, _ run: RunDocument) {
    self.document = document
    self.run = run
  }

  private var hasLoads: Bool { document.balancedness != nil }

  func text(on page: Page) -> String {
    var columns: [TextTable.Column] = [
      .text("node"), .number("devices", spare: 2), .number("slots"), .number("bytes", spare: 1),
      .number("of memory", spare: 0), .number("share"),
    ]
    if hasLoads { columns += [.number("tokens"), .number("most on a device")] }
    var table = TextTable(columns: columns, bar: page.bar)
    for node in document.nodes {
      let share = Double(node.usedBytes) / Double(node.memoryBytes)
      var cells = [
        node.name, "\(node.devices)", "\(node.slotCount)", NumberText.grouped(node.usedBytes),
        NumberText.grouped(node.memoryBytes), NumberText.share(share),
      ]
      if hasLoads {
        cells += [
          NumberText.amount(node.load ?? 0), NumberText.amount(node.deviceLoads?.max() ?? 0),
        ]
      }
      table.add(cells, weight: share)
    }
    return page.text(of: table, below: "\n" + summary, notes: document.notes)
  }

  private var summary: String {
    let slots = document.nodes.reduce(0) { $0 + $1.slotCount }
    let devices = document.nodes.reduce(0) { $0 + $1.devices }
    var lines = [
      "\(NumberText.grouped(slots)) slots of \(document.units.count) units on "
        + "\(document.nodes.count) node\(document.nodes.count == 1 ? "" : "s"), \(devices) "
        + "device\(devices == 1 ? "" : "s")"
    ]
    if let balancedness = document.balancedness {
      let layers = document.units.compactMap(\.balancedness)
      lines.append(
        "mean over largest device load: \(NumberText.share(balancedness)); layers from "
          + "\(NumberText.share(layers.min() ?? 1)) to "
          + "\(NumberText.share(layers.max() ?? 1))")
    }
    lines.append(
      "\(run.ranks) rank\(run.ranks == 1 ? "" : "s"), \(NumberText.fixed(run.seconds, decimals: 2)) s"
    )
    return lines.joined(separator: "\n") + "\n"
  }
}
