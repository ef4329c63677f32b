internal import PlanFiles
internal import Workflow

/// What lies where: a row per node, then the whole.
struct PlacementTable {
  private let document: PlacementDocument
  private let run: RunDocument
  private let color: Bool

  init(_ document: PlacementDocument, _ run: RunDocument, color: Bool) {
    self.document = document
    self.run = run
    self.color = color
  }

  private var hasLoads: Bool { document.balancedness != nil }

  var text: String {
    var columns: [TextTable.Column] = [
      .text("node"), .number("devices"), .number("slots"), .number("bytes"), .number("of memory"),
      .number("share"),
    ]
    if hasLoads { columns += [.number("tokens"), .number("most on a device")] }
    var table = TextTable(columns: columns + [.text("")])
    let bar = Bar(width: 24, color: color)
    for node in document.nodes {
      let share = Double(node.usedBytes) / Double(node.memoryBytes)
      var cells = [
        node.name, "\(node.devices)", "\(node.slotCount)", NumberText.grouped(node.usedBytes),
        NumberText.grouped(node.memoryBytes), NumberText.fixed(share, decimals: 4),
      ]
      if hasLoads {
        cells += [
          NumberText.short(node.load ?? 0), NumberText.short(node.deviceLoads?.max() ?? 0),
        ]
      }
      table.add(cells + [bar.text(share)])
    }
    return table.text + "\n" + summary
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
        "mean over largest device load: \(NumberText.fixed(balancedness, decimals: 4)); layers from "
          + "\(NumberText.fixed(layers.min() ?? 1, decimals: 4)) to "
          + "\(NumberText.fixed(layers.max() ?? 1, decimals: 4))")
    }
    lines.append(
      "\(run.ranks) rank\(run.ranks == 1 ? "" : "s"), \(NumberText.fixed(run.seconds, decimals: 2)) s"
    )
    return lines.joined(separator: "\n") + "\n"
  }
}
