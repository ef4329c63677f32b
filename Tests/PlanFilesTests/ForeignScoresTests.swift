import PlanFiles
import TestSupport
import Testing

@Suite("Scores of other programs")
struct ForeignScoresTests {
  private func scores(_ text: String, names: String? = nil) throws -> ForeignScores {
    try ForeignScores(
      bytes: Array(text.utf8), source: "s", names: names.map(self.names))
  }

  private func names(_ text: String) throws(PlanFileError) -> UnitNames {
    try UnitNames(bytes: Array(text.utf8), source: "n")
  }

  /// A `.npy` file, header and bytes as NumPy lays them out.
  private func numpy(
    _ header: String, _ data: [UInt8], version: UInt8 = 1, length: Int? = nil
  ) -> [UInt8] {
    let length = length ?? header.utf8.count
    let size = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + size + Array(header.utf8) + data
  }

  private func bytes(_ values: [some FixedWidthInteger], bigEndian: Bool) -> [UInt8] {
    values.flatMap { value in
      let ordered = bigEndian ? value.bigEndian : value.littleEndian
      return (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: ordered >> (8 * $0)) }
    }
  }

  private func header(_ type: String, _ shape: String) -> String {
    "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }          \n"
  }

  @Test(
    "JSON and Python lists, objects and bare numbers are understood",
    arguments: [
      "[0.5, 2, 1e-3]", " [0.5,2.0,\n0.001,]\n", "0.5,2,1e-3", "0.5\n2\n1e-3\n",
      ".5 2. +1E-3",
    ])
  func values(text: String) throws {
    let read = try scores(text)
    #expect(read.units.map(\.gain) == [0.5, 2, 0.001])
    #expect(read.units.map(\.name) == (0..<3).map { "model.layers.\($0)" })
    #expect(read.note?.contains("model.layers.2") == true)
  }

  @Test("Names may come with the values")
  func named() throws {
    let object = try scores(#"{"a.1": 3, "b\u00e9\n": 4.5, 'c': 0}"#)
    #expect(object.units.map(\.name) == ["a.1", "bé\n", "c"] && object.note == nil)
    #expect(object.units.map(\.gain) == [3, 4.5, 0])
    let records = try scores(
      #"[{"gain": 1, "name": "x", "parameters": 7, "more": [null, true]}, {"name": "y", "gain": 2}]"#
    )
    #expect(records.units.map(\.name) == ["x", "y"])
    #expect(records.units.map(\.parameters) == [7, 0])
  }

  @Test("Names and sizes may come from a file beside")
  func namesBeside() throws {
    let plain = try scores("[1, 2]", names: "b \r\n\n a\n")
    #expect(plain.units.map(\.name) == ["b", "a"] && plain.note == nil)
    let table = try scores("[1, 2]", names: "parameters,name\n10,b\n20,a\n")
    #expect(table.units.map(\.parameters) == [10, 20] && table.units.map(\.name) == ["b", "a"])
  }

  @Test(
    "Faults name the file and what is wrong",
    arguments: [
      ("[1, \"a\"]", nil, "value 1 is \"a\""), ("[1, [2]]", nil, "value 1 is a list"),
      ("[1, None]", nil, "value 1 is None"), ("[1 2]", nil, "byte 3: expected a comma"),
      ("[1, np.float64(2)]", nil, "byte 4: expected a number"), ("[1, 2", nil, "ends where"),
      ("[1] 2", nil, "nothing after"), (#"{"a": {"b": 1}}"#, nil, "\"a\" is an object"),
      (#"{"a" 1}"#, nil, "a colon after"), ("{1: 2}", nil, "a name in quotes"),
      (#"[{"name": "a"}]"#, nil, "element 0 needs"),
      (#"[{"name": "a", "gain": 1, "gain": 2}]"#, nil, "\"gain\" twice"),
      (#"[{"name": "a", "gain": 1}, 3]"#, nil, "element 1 is a number"),
      (#"[{"name": "a", "gain": 1, "parameters": 1.5}]"#, nil, "whole number"),
      (#"{"a": 1}"#, "x", "names its units itself"), ("[1, 2]", "x", "2 values, but n has 1 names"),
      (String(repeating: "[", count: 100_000), nil, "nested"), (#"{"a\x": 1}"#, nil, "an escape"),
      (#"{"\ud800": 1}"#, nil, "surrogate"), (#"{"\u12"#, nil, "hexadecimal"),
      ("[1, 2.5.3]", nil, "expected a number"), ("1 2 x", nil, "no column \"name\""),
      ("(1, 2)", nil, "no column \"name\""),
    ] as [(String, String?, String)])
  func faults(text: String, names: String?, hint: String) {
    #expect {
      _ = try scores(text, names: names)
    } throws: { error in
      "\(error)".hasPrefix("s: ") && "\(error)".contains(hint)
    }
  }

  @Test("A NumPy row is read in every version, type and byte order", arguments: [false, true])
  func vectors(bigEndian: Bool) throws {
    let order = bigEndian ? ">" : "<"
    let values = [1.5, -2.25, 3e10]
    let whole = [1, -2, 30_000]
    for version in [UInt8(1), 2, 3] {
      let files: [([UInt8], [Double])] = [
        (bytes(values.map(\.bitPattern), bigEndian: bigEndian), values),
        (
          bytes(values.map { Float($0).bitPattern }, bigEndian: bigEndian),
          values.map { Double(Float($0)) }
        ),
        (bytes(whole.map(Int64.init), bigEndian: bigEndian), whole.map(Double.init)),
        (bytes(whole.map(Int32.init), bigEndian: bigEndian), whole.map(Double.init)),
      ]
      for (type, file) in zip(["f8", "f4", "i8", "i4"], files) {
        let read = try ForeignScores(
          bytes: numpy(header(order + type, "(3,)"), file.0, version: version), source: "s.npy")
        #expect(read.units.map(\.gain) == file.1)
      }
    }
  }

  @Test(
    "A NumPy file that is no row of numbers is refused",
    arguments: [
      ("<f8", "(2, 2)", 32, nil, "shape (2, 2)"), ("<f8", "()", 8, nil, "shape ()"),
      ("<c16", "(1,)", 16, nil, "<c16"), ("|O", "(1,)", 8, nil, "|O"),
      ("<f2", "(4,)", 8, nil, "<f2"),
      ("<f8", "(2,)", 15, nil, "do not fill the 15 bytes"), ("<f8", "(2,)", 17, nil, "17 bytes"),
      ("<f8", "(9223372036854775807,)", 8, nil, "shape"), ("<f8", "(-1,)", 8, nil, "(-1)"),
      ("<f8", "(1152921504606846976,)", 0, nil, "do not fill"), ("<f8", "(1.5,)", 8, nil, "(1.5)"),
      ("<f8", "(1,)", 8, 60_000, "its header says 60000 bytes"),
    ] as [(String, String, Int, Int?, String)])
  func otherArrays(type: String, shape: String, size: Int, length: Int?, hint: String) {
    let file = numpy(header(type, shape), [UInt8](repeating: 0, count: size), length: length)
    #expect {
      _ = try ForeignScores(bytes: file, source: "s.npy")
    } throws: { error in
      "\(error)".hasPrefix("s.npy: ") && "\(error)".contains(hint)
    }
  }

  @Test("No prefix and no changed byte of a NumPy file or a list is more than an error")
  func mutations() throws {
    let good = [
      numpy(header("<f8", "(2,)"), bytes([1.5, 2.5].map(\.bitPattern), bigEndian: false)),
      Array(#"[{"name": "a\u00e9", "gain": 1.5}, {"name": 'b', "gain": 2}]"#.utf8),
    ]
    try forEachCase(seed: 93, cases: 2000) { generator, _ in
      var file = good[Int(generator.uniform() * 2)]
      let place = Int(generator.uniform() * Double(file.count))
      if generator.uniform() < 0.3 {
        file.removeSubrange(place...)
      } else {
        file[place] = UInt8(truncatingIfNeeded: Int(generator.uniform() * 256))
      }
      var units = 0
      do throws(PlanFileError) {
        let read = try ForeignScores(bytes: file, source: "s")
        units = read.units.count
      } catch {
        try require("\(error)".hasPrefix("s: "), "\(error)")
      }
      try require(units <= file.count, "more units than bytes")
    }
  }
}
