import TensorFiles

extension HostileHeaderTests {
  /// At least one file per rule; the shape of each is known to have fooled some loader.
  static let corpus: [HostileFile] =
    lengths + grammar + numbers + texts + duplicates + entries + layouts

  private static func prefix(_ length: UInt64) -> [UInt8] {
    TensorFileWriter.bytes(of: [Int64(bitPattern: length)])
  }

  private static let lengths: [HostileFile] = [
    HostileFile("empty file", bytes: [], ["has 0 bytes", "at least 8"]),
    HostileFile("seven bytes", bytes: [2, 0, 0, 0, 0, 0, 0], ["has 7 bytes", "at least 8"]),
    HostileFile(
      "header one byte over the limit", bytes: prefix(100_000_001) + [0x7B],
      ["100000001", "the limit is 100000000"]),
    HostileFile(
      "header length that is negative as Int", bytes: prefix(.max) + [0x7B],
      ["18446744073709551615", "the limit is 100000000"]),
    HostileFile(
      "header longer than the file", bytes: prefix(100_000_000) + [0x7B, 0x7D],
      ["100000000 bytes", "only 2 follow"]),
    HostileFile("no header", bytes: prefix(0), ["expected '{'", "the end of the header"]),
    HostileFile("bytes after an empty header", "{}", data: 5, says: "5 bytes belong to no tensor"),
  ]

  private static let grammar: [HostileFile] = [
    HostileFile("an array", "[]", says: "byte 0", "found '['"),
    HostileFile("a byte-order mark", "\u{FEFF}{}", says: "byte 0", "expected '{'"),
    HostileFile("a vertical tab as white space", "\u{B}{}", says: "0x0B"),
    HostileFile("two objects", "{}{}", says: "byte 2", "nothing but white space"),
    HostileFile("a null character after the object", "{}\0", says: "byte 2", "0x00"),
    HostileFile("trailing comma", #"{"__metadata__":{},}"#, says: "a key of the header", "'}'"),
    HostileFile("missing colon", #"{"w" {}}"#, says: "':' after the key \"w\""),
    HostileFile("single quotes", "{'w':{}}", says: "a key of the header"),
    HostileFile(
      "a comment", "{/* */}", says: "found '/*'"),
    HostileFile(
      "a broken word in a field that is ignored", entry("\"x\":nul,"), data: 1, says: "null",
      "\"w\""),
    HostileFile(
      "a broken number in a field that is ignored", entry("\"x\":01,"), data: 1,
      says: "leading zero"),
    HostileFile(
      "NaN in a field that is ignored", entry("\"x\":NaN,"), data: 1, says: "a value", "NaN"),
    HostileFile(
      "deep nesting", entry("\"x\":" + String(repeating: "[", count: 1_000_000) + ","), data: 1,
      says: "129 deep", "limit is 128", "\"w\""),
  ]

  /// A valid entry `w` with something put before its fields.
  private static func entry(_ fields: String) -> String {
    #"{"w":{\#(fields)"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
  }

  private static func entry(shape: String, offsets: String = "0,1", type: String = "U8") -> String {
    #"{"w":{"dtype":"\#(type)","shape":[\#(shape)],"data_offsets":[\#(offsets)]}}"#
  }

  private static let numbers: [HostileFile] = [
    HostileFile("negative size", entry(shape: "-1"), data: 1, says: "\"w\"", "shape", "'-1'"),
    HostileFile("negative zero", entry(shape: "-0"), data: 1, says: "\"w\"", "'-0'"),
    HostileFile("fraction", entry(shape: "1.0"), data: 1, says: "\"w\"", "'1.0'"),
    HostileFile("exponent", entry(shape: "1e0"), data: 1, says: "\"w\"", "'1e0'"),
    HostileFile("capital exponent", entry(shape: "1E0"), data: 1, says: "\"w\"", "'1E0'"),
    HostileFile("leading zero", entry(shape: "01"), data: 1, says: "\"w\"", "leading zero"),
    HostileFile("plus sign", entry(shape: "+1"), data: 1, says: "\"w\"", "'+1'"),
    HostileFile("size as text", entry(shape: "\"1\""), data: 1, says: "\"w\"", "shape"),
    HostileFile("null size", entry(shape: "null"), data: 1, says: "\"w\"", "'null'"),
    HostileFile(
      "size of 2^63", entry(shape: "9223372036854775808"), data: 1, says: "\"w\"",
      "9223372036854775808", "limit 9223372036854775807"),
    HostileFile(
      "a thousand digits", entry(shape: String(repeating: "9", count: 1000)), data: 1,
      says: "\"w\"",
      "limit 9223372036854775807"),
    HostileFile(
      "negative offset", entry(shape: "1", offsets: "-1,0"), data: 1, says: "data_offsets", "'-1'"),
    HostileFile(
      "float offset", entry(shape: "1", offsets: "0,1.0"), data: 1, says: "data_offsets", "'1.0'"),
  ]

  private static let texts: [HostileFile] = [
    HostileFile(
      "invalid UTF-8 in a name", bytes: rawFile(Array("{\"".utf8) + [0xFF] + Array("\":{}}".utf8)),
      ["byte 2", "not valid UTF-8"]),
    HostileFile(
      "overlong UTF-8", bytes: rawFile(Array("{\"".utf8) + [0xC0, 0x80] + Array("\":{}}".utf8)),
      ["not valid UTF-8"]),
    HostileFile(
      "a surrogate as UTF-8",
      bytes: rawFile(Array("{\"".utf8) + [0xED, 0xA0, 0x80] + Array("\":{}}".utf8)),
      ["not valid UTF-8"]),
    HostileFile(
      "invalid UTF-8 in a field that is ignored",
      bytes: rawFile(Array("{\"w\":{\"x\":\"".utf8) + [0x80] + Array("\"}}".utf8)),
      ["\"w\"", "not valid UTF-8"]),
    HostileFile("high surrogate alone", #"{"\ud800":{}}"#, says: "byte 2", #"\uD800 is half"#),
    HostileFile("low surrogate alone", #"{"\udc00":{}}"#, says: "byte 2", #"\uDC00 is half"#),
    HostileFile("two high surrogates", #"{"\ud800\ud800":{}}"#, says: #"\uD800 is half"#),
    HostileFile("high surrogate, then a letter", #"{"\ud800\u0041":{}}"#, says: "half"),
    HostileFile("three hex digits", #"{"\u041":{}}"#, says: "four hexadecimal digits"),
    HostileFile("unknown escape", #"{"\x41":{}}"#, says: "after a backslash", "'x41'"),
    HostileFile("raw line feed in a name", "{\"a\nb\":{}}", says: "raw control", "0x0A"),
    HostileFile("name without end", #"{"abc"#, says: "to end", "the end of the header"),
    HostileFile("name that ends in a backslash", #"{"abc\"#, says: "after a backslash"),
  ]

  private static let duplicates: [HostileFile] = [
    HostileFile(
      "one name, two types, same range",
      #"{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
        + #""w":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}"#, data: 1,
      says: "\"w\"", "more than once in the header", "limit is 1"),
    HostileFile(
      "one name, once escaped",
      #"{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"#
        + #""\u0077":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
      says: "\"w\"", "more than once in the header"),
    HostileFile(
      "metadata twice, once escaped", #"{"__metadata__":{},"\u005f_metadata__":{}}"#,
      says: "__metadata__", "more than once"),
    HostileFile(
      "metadata key twice", #"{"__metadata__":{"k":"1","\u006b":"1"}}"#,
      says: "\"k\"", "more than once in metadata", "limit is 1"),
    HostileFile(
      "metadata keys that differ by normalization",
      #"{"__metadata__":{"\u00e9":"1","e\u0301":"2"}}"#,
      says: "more than once in metadata"),
    HostileFile(
      "dtype twice", entry("\"dtype\":\"F32\","), data: 1,
      says: "\"w\"", "\"dtype\" occurs more than once in the entry"),
    HostileFile(
      "shape twice, once escaped", entry("\"\\u0073hape\":[1],"), data: 1,
      says: "\"w\"", "\"shape\" occurs more than once in the entry"),
    HostileFile(
      "offsets twice", entry("\"data_offsets\":[0,1],"), data: 1,
      says: "\"w\"", "\"data_offsets\" occurs more than once"),
    HostileFile(
      "an unknown field twice", entry("\"x\":1,\"x\":1,"), data: 1,
      says: "\"w\"", "\"x\" occurs more than once in the entry"),
  ]

  private static let entries: [HostileFile] = [
    HostileFile("metadata as array", #"{"__metadata__":[]}"#, says: "__metadata__", "'['"),
    HostileFile("metadata null", #"{"__metadata__":null}"#, says: "__metadata__", "'null'"),
    HostileFile(
      "number in metadata", #"{"__metadata__":{"k":12}}"#, says: "\"k\"", "string", "'12'"),
    HostileFile("object in metadata", #"{"__metadata__":{"k":{}}}"#, says: "\"k\"", "string"),
    HostileFile(
      "entry as array", #"{"w":["U8",[1],[0,1]]}"#, data: 1, says: "\"w\"", "tensor entry"),
    HostileFile("entry null", #"{"w":null}"#, says: "\"w\"", "'null'"),
    HostileFile("empty entry", #"{"w":{}}"#, says: "\"w\"", "no field \"dtype\""),
    HostileFile(
      "no shape", #"{"w":{"dtype":"U8","data_offsets":[0,0]}}"#, says: "\"w\"", "no field \"shape\""
    ),
    HostileFile(
      "no offsets", #"{"w":{"dtype":"U8","shape":[0]}}"#, says: "\"w\"", "no field \"data_offsets\""
    ),
    HostileFile(
      "unknown dtype", entry(shape: "1", type: "F128"), data: 1, says: "\"w\"", "\"F128\"",
      "22 known"),
    HostileFile(
      "dtype in lower case", entry(shape: "1", type: "u8"), data: 1, says: "\"w\"", "\"u8\""),
    HostileFile(
      "dtype as number", #"{"w":{"dtype":1,"shape":[],"data_offsets":[0,1]}}"#, data: 1,
      says: "\"w\"", "dtype", "'1'"),
    HostileFile(
      "one offset", entry(shape: "1", offsets: "0"), data: 1, says: "\"w\"", "[0] has 1 numbers"),
    HostileFile(
      "three offsets", entry(shape: "1", offsets: "0,1,2"), data: 1,
      says: "\"w\"", "[0, 1, 2] has 3 numbers", "must have 2"),
    HostileFile(
      "offsets as text", #"{"w":{"dtype":"U8","shape":[1],"data_offsets":"0,1"}}"#, data: 1,
      says: "\"w\"", "data_offsets"),
  ]

  private static func pair(_ first: String, _ second: String) -> String {
    #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[\#(first)]},"#
      + #""b":{"dtype":"U8","shape":[2],"data_offsets":[\#(second)]}}"#
  }

  private static let layouts: [HostileFile] = [
    HostileFile(
      "begin after end", entry(shape: "1", offsets: "1,0"), data: 1, says: "\"w\"", "[1, 0]",
      "end before"),
    HostileFile(
      "gap before the first", entry(shape: "1", offsets: "1,2"), data: 2,
      says: "\"w\"", "begin at 1", "must begin at 0", "a hole"),
    HostileFile(
      "hole", pair("0,2", "3,5"), data: 5,
      says: "\"b\"", "begin at 3", "must begin at 2", "a hole"),
    HostileFile(
      "overlap", pair("0,2", "1,3"), data: 3, says: "\"b\"", "must begin at 2", "an overlap"),
    HostileFile("tied ranges", pair("0,2", "0,2"), data: 2, says: "must begin at 2", "an overlap"),
    HostileFile(
      "more bytes than the shape", entry(shape: "1", offsets: "0,2"), data: 2,
      says: "\"w\"", "span 2 bytes", "[1] of U8 takes 1"),
    HostileFile(
      "a huge shape on four bytes", entry(shape: "1000000,1000000", offsets: "0,4", type: "F32"),
      data: 4, says: "\"w\"", "span 4 bytes", "takes 4000000000000"),
    HostileFile(
      "a product that wraps to one",
      entry(shape: "4294967296,4294967296,1", offsets: "0,4", type: "F32"), data: 4,
      says: "\"w\"", "[4294967296, 4294967296, 1]", "more than 9223372036854775807 elements"),
    HostileFile(
      "a product that wraps before a zero",
      entry(shape: "4294967296,4294967296,0", offsets: "0,0", type: "F32"),
      says: "\"w\"", "more than 9223372036854775807 elements"),
    HostileFile(
      "bits that wrap", entry(shape: "1152921504606846976", offsets: "0,0", type: "F32"),
      says: "\"w\"", "more than 9223372036854775807 bits"),
    HostileFile(
      "half a byte", entry(shape: "3", offsets: "0,2", type: "F4"), data: 2,
      says: "\"w\"", "12 bits", "no whole number"),
    HostileFile(
      "six bits", entry(shape: "1", offsets: "0,1", type: "F6_E3M2"), data: 1, says: "\"w\"",
      "6 bits"),
    HostileFile(
      "data cut short", entry(shape: "4", offsets: "0,4"), data: 3,
      says: "\"w\"", "[0, 4]", "end 1 bytes beyond", "3 bytes of data"),
    HostileFile(
      "one byte too many", entry(shape: "4", offsets: "0,4"), data: 5,
      says: "take 4 bytes", "5 follow", "1 bytes belong to no tensor"),
    HostileFile(
      "end at the largest integer",
      entry(shape: "9223372036854775807", offsets: "0,9223372036854775807"), data: 1,
      says: "\"w\"", "more than 9223372036854775807 bits"),
  ]
}
