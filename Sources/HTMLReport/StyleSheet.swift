/// The look of the page and of single charts. No fonts, pictures or scripts from anywhere.
enum StyleSheet {
  /// Rules for the classes that `Drawing` uses.
  static func chart(_ color: (Palette) -> String) -> String {
    let classes = Palette.allCases.map { role in
      ".f-\(role.rawValue){fill:\(color(role))}.s-\(role.rawValue){stroke:\(color(role))}"
    }
    return
      "text{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;"
      + "font-variant-numeric:tabular-nums}" + classes.joined()
      + "line{stroke-width:1}.dashed{stroke-width:1.5;stroke-dasharray:5 3}"
      + ".curve{fill:none;stroke-width:2}.open{fill:none;stroke-width:1.6}"
  }

  static var page: String {
    func variables(_ color: (Palette) -> String) -> String {
      Palette.allCases.map { "--\($0.rawValue):\(color($0))" }.joined(separator: ";")
    }
    return """
      :root{color-scheme:light dark;\(variables { $0.light })}
      @media screen and (prefers-color-scheme:dark){:root{\(variables { $0.dark })}}
      *{box-sizing:border-box}
      body{margin:0 auto;padding:2rem 1rem 4rem;max-width:752px;background:var(--surface);\
      color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;\
      overflow-wrap:anywhere}
      h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}
      h2{font-size:1.15rem;margin:2.75rem 0 .25rem}
      p{margin:.25rem 0 .75rem;max-width:66ch}
      a{color:var(--answer)}
      :focus-visible{outline:2px solid var(--compared);outline-offset:2px}
      nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;list-style:none;padding:0;margin:1.25rem 0 0;\
      font-size:.9rem}
      dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:1rem;margin:1.5rem 0}
      dt{font-size:.85rem;color:var(--muted)}
      dd{margin:0;font-size:1.15rem;font-variant-numeric:tabular-nums}
      dd small{display:block;font-size:.85rem;color:var(--muted)}
      svg{display:block;max-width:100%;height:auto;margin:.5rem 0}
      svg.narrow{display:none}
      @media screen and (max-width:751px){svg.wide{display:none}svg.narrow{display:block}}
      \(chart(\.variable))
      summary{cursor:pointer;font-size:.9rem;color:var(--muted);width:fit-content}
      .scroll{overflow-x:auto;max-height:32rem;overflow-y:auto;margin:.5rem 0}
      table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums;\
      overflow-wrap:normal;min-width:min(100%,26rem)}
      caption{text-align:left;color:var(--muted);padding:.25rem 0}
      th,td{padding:.2rem .9rem .2rem 0;text-align:right;border-bottom:1px solid var(--grid);\
      vertical-align:top}
      td{white-space:nowrap}
      thead th{color:var(--muted);font-weight:600;vertical-align:bottom}
      tbody th{font-weight:400;text-align:left;overflow-wrap:anywhere;min-width:6rem}
      .w{text-align:left}
      .note{border-left:3px solid var(--compared);padding-left:.75rem}
      @media print{body{padding:0;font-size:11pt}nav{display:none}section{break-inside:avoid}\
      section.long{break-inside:auto}.scroll{max-height:none;overflow:visible}\
      section:not(.every) details::details-content{content-visibility:visible;height:auto}}
      """
  }
}
