import PlanFiles
import Testing

@Suite("CSV tables")
struct TableTests {
  private func scores(_ text: String) throws(PlanFileError) -> [ScoresDocument.Unit] {
    try ExternalScores(bytes: Array(text.utf8), source: "t.csv").units
  }

  @Test("Quotes, blank lines, spaces and Windows line ends are understood")
  func reading() throws {
    let units = try scores("name,gain,parameters\r\n\r\n\"a,\"\"b\"\"\", 1.5 ,10\r\nc,2e-3,\n")
    #expect(units.map(\.name) == ["a,\"b\"", "c"])
    #expect(units.map(\.gain) == [1.5, 2e-3])
    #expect(units.map(\.parameters) == [10, 0])
  }

  @Test("Columns may come in any order, and parameters may be left out")
  func columnOrder() throws {
    #expect(try scores("gain,name\n3,x\n").first?.gain == 3)
  }

  @Test(
    "Faults name file, line and value",
    arguments: [
      ("", "is empty"), ("name\nx\n", "line 1 has no column \"gain\""),
      ("name,gain,colour\n", "unknown column \"colour\""),
      ("name,gain\na,1\nb\n", "line 3 has 1 fields"),
      ("name,gain\na,much\n", "line 2, column \"gain\": \"much\""),
      ("name,gain\na,1\0\n", "line 2, column \"gain\": \"1\0\""), ("name,gain\na,nan\n", "line 2"),
      ("name,gain\na,\n", "line 2 has no gain"),
      ("name,gain\n\"a,1\n", "line 2 has a quote"),
      ("name,gain,parameters\na,1,1.5\n", "1.5"), ("name,gain,parameters\na,1,-4\n", "-4"),
    ])
  func faults(text: String, hint: String) {
    #expect {
      _ = try scores(text)
    } throws: { error in
      "\(error)".hasPrefix("t.csv: ") && "\(error)".contains(hint)
    }
  }

  @Test("A unit's own alpha and gamma: an empty field is none, and negative ones are refused")
  func programs() throws {
    func read(_ text: String) throws(PlanFileError) -> UnitPrograms {
      try UnitPrograms(bytes: Array(text.utf8), source: "p.csv")
    }
    let own = try read("name,alpha,gamma\na,,2\nb,0,\n").values
    #expect(own["a"]?.alpha == nil && own["a"]?.gamma == 2)
    #expect(own["b"]?.alpha == 0 && own["b"]?.gamma == nil)
    for (text, hint) in [
      ("name,alpha\na,1\n", "no column \"gamma\""), ("name,alpha,gamma\na,-1,\n", "alpha is -1"),
      ("name,alpha,gamma\na,,inf\n", "line 2: gamma is inf"),
      ("name,alpha,gamma\na,1,1\na,1,1\n", "a second time"),
    ] {
      #expect {
        _ = try read(text)
      } throws: { error in
        "\(error)".hasPrefix("p.csv: ") && "\(error)".contains(hint)
      }
    }
  }

  @Test("Bytes that are not UTF-8 are refused")
  func notText() {
    #expect(throws: PlanFileError.self) {
      _ = try ExternalScores(bytes: [0xFF, 0xFE, 0x00], source: "t.csv")
    }
  }

  @Test("Bounds leave a side open where the field is empty")
  func bounds() throws {
    let table = try UnitBounds(bytes: Array("name,lower,upper\na,1,\nb,,4\n".utf8), source: "b.csv")
    #expect(table.values["a"] == UnitBounds.Bounds(lower: 1, upper: nil))
    #expect(table.values["b"] == UnitBounds.Bounds(lower: nil, upper: 4))
  }

  @Test("A name that comes twice is refused with its line")
  func twice() {
    #expect {
      _ = try UnitNumbers(
        bytes: Array("name,cost\na,1\nb,2\na,3\n".utf8), source: "c.csv", column: "cost")
    } throws: { error in
      "\(error)".contains("line 4 names \"a\" a second time")
    }
  }
}
