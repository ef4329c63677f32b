import TensorFiles
import Testing

@Suite("Decoding elements")
struct ElementDecodingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Opens one tensor, behind a header of 5 mod 8 bytes so that its data is not aligned.
  private func open(
    _ type: ElementType, shape: [Int], _ data: [UInt8]
  ) throws -> TensorCollection {
    let shape = shape.map(String.init).joined(separator: ",")
    var header =
      #"{"w":{"dtype":"\#(type.rawValue)","shape":[\#(shape)],"data_offsets":[0,\#(data.count)]}}"#
    while header.utf8.count % 8 != 5 { header += " " }
    return try TensorCollection(path: folder.write(rawFile(header) + data))
  }

  @Test("Every one of the 65 536 F16 patterns decodes as the hardware type says, unaligned")
  func everyFloat16() throws {
    let patterns = Array(UInt16.min...UInt16.max)
    let file = try open(.float16, shape: [256, 256], bytes(of: patterns))
    let expected = patterns.map { Float(Float16(bitPattern: $0)) }
    let floats = try file.values("w", as: Float.self)
    let doubles = try file.values("w", as: Double.self)
    for (index, value) in expected.enumerated() {
      if value.isNaN {
        #expect(floats[index].isNaN && doubles[index].isNaN)
      } else if floats[index].bitPattern != value.bitPattern || doubles[index] != Double(value) {
        Issue.record("pattern \(patterns[index]): \(floats[index]), not \(value)")
      }
    }
  }

  @Test("Every BF16 pattern is the upper half of a Float")
  func everyBFloat16() throws {
    let patterns = Array(UInt16.min...UInt16.max)
    let file = try open(.bfloat16, shape: [65_536], bytes(of: patterns))
    let floats = try file.values("w", as: Float.self)
    let doubles = try file.values("w", as: Double.self)
    #expect(floats.map(\.bitPattern) == patterns.map { UInt32($0) << 16 })
    #expect(zip(floats, doubles).allSatisfy { Double($0) == $1 || ($0.isNaN && $1.isNaN) })
  }

  @Test("F64 narrows to Float by rounding to nearest, ties to even")
  func narrowing() throws {
    let values = [1 + 0x1p-24, 1 + 0x1.8p-23, 1 + 0x1.000001p-24, 0x1p-150, 0x1.8p-150, -1e-300]
    let file = try open(.float64, shape: [6], TensorFileWriter.bytes(of: values))
    let floats = try file.finiteValues("w", as: Float.self)
    #expect(floats == [1, 1 + 0x1p-22, 1 + 0x1p-23, 0, 0x1p-149, 0])
  }

  @Test("I32 and I64 are read as integers, signs included")
  func integers() throws {
    let wide = try open(.signed64, shape: [2], TensorFileWriter.bytes(of: [Int64.max, -2]))
    #expect(try wide.readIntegers("w") == [Int64.max, -2])
    let narrow = try open(.signed32, shape: [2], [0xFF, 0xFF, 0xFF, 0x7F, 0xFE, 0xFF, 0xFF, 0xFF])
    #expect(try narrow.readIntegers("w") == [Int64(Int32.max), -2])
  }

  @Test("A type that is no floating-point type is refused by name", arguments: ElementType.allCases)
  func wrongTypes(type: ElementType) throws {
    // Eight elements take `bitWidth` bytes, a whole number for every type.
    let file = try open(
      type, shape: [8], [UInt8](repeating: 0, count: type.bitWidth))
    var values = [Float](repeating: 1, count: 8)
    let error = failure { () throws(TensorFileError) in
      var span = values.mutableSpan
      try file.read("w", into: &span)
    }
    let integers = failure { () throws(TensorFileError) in _ = try file.readIntegers("w") }
    if type.isFloatingPoint {
      #expect(error == nil && values.allSatisfy { $0 == 0 })
    } else {
      #expect(error?.kind == .wrongElementType)
      let part = "dtype \(type.rawValue) is not a floating-point type"
      #expect(error?.description.contains(part) == true)
    }
    if type != .signed64 && type != .signed32 {
      #expect(integers?.kind == .wrongElementType)
      #expect(integers?.description.contains("dtype \(type.rawValue) is not I64") == true)
    } else {
      #expect(integers == nil)
    }
  }

  @Test(
    "An element that is not finite is named by key, flat index, row and column, and value",
    arguments: [
      (Double.nan, "nan"), (.infinity, "inf"), (-.infinity, "-inf"), (.signalingNaN, "nan"),
    ])
  func nonFinite(value: Double, text: String) throws {
    let values = [0, 1, 2, 3, 4, value]
    let sources: [(ElementType, [UInt8])] = [
      (.float64, TensorFileWriter.bytes(of: values)),
      (.float32, TensorFileWriter.bytes(of: values.map { Float($0) })),
      (.float16, bytes(of: values.map { Float16($0).bitPattern })),
      (.bfloat16, bytes(of: values.map { UInt16(Float($0).bitPattern >> 16) })),
    ]
    for (type, data) in sources {
      let file = try open(type, shape: [2, 3], data)
      let errors = [
        failure { () throws(TensorFileError) in _ = try file.finiteValues("w", as: Float.self) },
        failure { () throws(TensorFileError) in _ = try file.finiteValues("w", as: Double.self) },
      ]
      for error in errors {
        #expect(error?.kind == .nonFinite)
        let message = error?.description ?? ""
        for part in ["hostile.safetensors", "\"w\"", "element 5 at [1, 2] is \(text),"] {
          #expect(message.contains(part), "\(message)")
        }
      }
      #expect(try file.values("w", as: Double.self)[4] == 4, "read lets it pass")
    }
  }

  @Test("A finite F64 beyond Float's range asks for double precision, and double reads it")
  func beyondSinglePrecision() throws {
    let file = try open(
      .float64, shape: [1, 2, 2], TensorFileWriter.bytes(of: [1, 2, -1e39, Double.nan]))
    let error = failure { () throws(TensorFileError) in
      _ = try file.finiteValues("w", as: Float.self)
    }
    #expect(error?.kind == .beyondSinglePrecision)
    let message = error?.description ?? ""
    for part in ["element 2 at [0, 1, 0] is -1e+39", "3.4028235e+38", "use double precision"] {
      #expect(message.contains(part), "\(message)")
    }
    let double = failure { () throws(TensorFileError) in
      _ = try file.finiteValues("w", as: Double.self)
    }
    #expect(double?.kind == .nonFinite)
  }

  @Test("A name that is not there is an error that repeats it")
  func noSuchTensor() throws {
    let file = try open(.float32, shape: [1], [0, 0, 0, 0])
    for error in [
      failure { () throws(TensorFileError) in _ = try file.readIntegers("v.bias") },
      failure { () throws(TensorFileError) in _ = try file.checksum(of: "v.bias") },
      failure { () throws(TensorFileError) in _ = try file.finiteValues("v.bias", as: Float.self) },
    ] {
      #expect(error?.kind == .noSuchTensor)
      #expect(error?.description.contains("v.bias") == true)
    }
  }
}
