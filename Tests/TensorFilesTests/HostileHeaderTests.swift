import TensorFiles
import Testing

/// One file that must be refused, and what the error must say beside the file's name.
struct HostileFile: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let bytes: [UInt8]
  let parts: [String]

  init(_ title: String, _ header: String, data: Int = 0, says parts: String...) {
    self.init(title, bytes: rawFile(header, dataBytes: data), parts)
  }

  init(_ title: String, bytes: [UInt8], _ parts: [String]) {
    self.testDescription = title
    self.bytes = bytes
    self.parts = parts
  }
}

@Suite("Hostile headers")
struct HostileHeaderTests {
  @Test("A file that breaks a rule is refused with file, key, value and limit", arguments: corpus)
  func refused(file: HostileFile) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(file.bytes)
    let error = failure { () throws(TensorFileError) in _ = try TensorCollection(path: path) }
    #expect(error?.kind == .badData)
    let message = error?.description ?? "accepted"
    for part in ["hostile.safetensors"] + file.parts {
      #expect(message.contains(part), "\(message)")
    }
    #expect(!message.contains("\n") && message.utf8.count < 1000)
  }

  @Test(
    "A file the reference accepts is accepted",
    arguments: [
      ("{}", 0), (" \t\r\n{ \t\r\n} \t\r\n", 0), (#"{"__metadata__":{}}"#, 0),
      (#"{"w":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}"#, 1),
      (#"{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#, 0),
      (#"{"w":{"dtype":"F32","shape":[0,9223372036854775807,9],"data_offsets":[0,0]}}"#, 0),
      (
        #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
          + #""b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"#
          + #""c":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"#
          + #""d":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}"#, 2
      ),
      (#"{"w":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}"#, 1),
      (#"{"w":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}}"#, 3),
      (#"{"w":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#, 8),
      (#"{"w":{"dtype":"F8_E8M0","shape":[1],"data_offsets":[0,1]}}"#, 1),
      (
        #"{"w":{"x":[{"y":-1.5e+9,"z":[true,false,null,"\ud83e\udd9c"]},{}],"q":0,"dtype":"U8","#
          + #""shape":[1],"data_offsets":[0,1]}}"#, 1
      ),
      (#"{"\u0077\/\b\f":{"d\u0074ype":"\u00558","shape":[1],"data_offsets":[0,1]}}"#, 1),
    ] as [(String, Int)])
  func accepted(header: String, dataBytes: Int) throws {
    let folder = try TemporaryFolder()
    _ = try TensorCollection(path: folder.write(rawFile(header, dataBytes: dataBytes)))
  }

  @Test("Nesting is accepted up to the limit of 128 and refused beyond")
  func nesting() throws {
    let folder = try TemporaryFolder()
    for (depth, isFine) in [(126, true), (127, false), (100_000, false)] {
      // The header and the entry are two levels.
      let extra = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      let header = #"{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":\#(extra)}}"#
      let path = try folder.write(rawFile(header))
      let error = failure { () throws(TensorFileError) in _ = try TensorCollection(path: path) }
      #expect((error == nil) == isFine)
      if let error { #expect(error.description.contains("129 deep, the limit is 128")) }
    }
  }

  @Test("A hostile name is escaped and cut in errors")
  func hostileNames() throws {
    let folder = try TemporaryFolder()
    let name = "\u{1B}[2J\u{202E}\u{7}" + String(repeating: "e\u{301}", count: 5000)
    let header = #"{"\#(name)":{"dtype":"X","shape":[],"data_offsets":[0,0]}}"#
    // A raw control is refused by itself; escaped it is a legal name.
    let escaped = header.replacing("\u{1B}", with: #"\u001b"#).replacing("\u{7}", with: #"\u0007"#)
    for text in [header, escaped] {
      let path = try folder.write(rawFile(text))
      let error = failure { () throws(TensorFileError) in _ = try TensorCollection(path: path) }
      let message = error?.description ?? "accepted"
      #expect(message.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
      #expect(message.unicodeScalars.count < 600, "\(message)")
    }
  }

  @Test("Every truncation of a valid file is refused, and never a crash")
  func truncations() throws {
    let folder = try TemporaryFolder()
    let header =
      #"{"__metadata__":{"k":"é"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
      + #""b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}  "#
    let whole = rawFile(header, dataBytes: 11)
    _ = try TensorCollection(path: folder.write(whole))
    for length in 0..<whole.count {
      let path = try folder.write(Array(whole[..<length]))
      let error = failure { () throws(TensorFileError) in _ = try TensorCollection(path: path) }
      #expect(error?.kind == .badData, "\(length) bytes")
      // The same header in full, but said to be shorter: the JSON itself is cut.
      if length < header.utf8.count - 2 {
        let cut = try folder.write(rawFile(Array(header.utf8.prefix(length)), dataBytes: 11))
        let error = failure { () throws(TensorFileError) in _ = try TensorCollection(path: cut) }
        #expect(error?.kind == .badData, "\(length) bytes of header")
      }
    }
  }
}
