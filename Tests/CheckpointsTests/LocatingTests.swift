import Checkpoints
import DenseLinearAlgebra
import TensorFiles
import TestSupport
import Testing

@Suite("Finding the weights of modules")
struct LocatingTests {
  /// A checkpoint of tensors whose elements count up from 0, with a configuration.
  private func checkpoint<Result>(
    _ tensors: [(name: String, shape: [Int])], configuration: String = "{}",
    _ body: (Checkpoint) throws -> Result
  ) throws -> Result {
    try temporaryFolder { folder in
      try TensorFileWriter.write(
        tensors.map { name, shape in
          let count = shape.reduce(1, *)
          return (
            name, .float32, shape, TensorFileWriter.bytes(of: (0..<count).map { Float($0) })
          )
        }, metadata: ["format": "pt"], to: "\(folder)/model.safetensors")
      try DurableFile.write(Array(configuration.utf8), to: "\(folder)/config.json")
      return try body(try Checkpoint(path: folder))
    }
  }

  private func error(_ checkpoint: Checkpoint, _ modules: ModuleShape...) -> String {
    do {
      _ = try checkpoint.weights(of: modules)
      return "accepted"
    } catch {
      return "\(error)"
    }
  }

  @Test("A Linear is found by name and a Conv1D by its shape; a square one follows its neighbours")
  func layouts() throws {
    try checkpoint([
      ("transformer.h.0.attn.c_attn.weight", [4, 12]),
      ("transformer.h.0.attn.c_proj.weight", [4, 4]),
      ("lm_head.weight", [9, 4]),
    ]) { checkpoint in
      let weights = try checkpoint.weights(of: [
        ModuleShape(name: "transformer.h.0.attn.c_attn", outputs: 12, inputs: 5),
        ModuleShape(name: "h.0.attn.c_proj", outputs: 4, inputs: 4),
        ModuleShape(name: "lm_head", outputs: 9, inputs: 4),
      ])
      #expect(weights.map(\.isTransposed) == [true, true, false])
      #expect(weights.map(\.outputs) == [12, 4, 9])
      #expect(weights.map(\.inputs) == [4, 4, 4])
      let matrix = try checkpoint.matrix(of: weights[1], rows: 1..<3, as: Double.self)
      #expect(matrix.elements() == [1, 5, 9, 13, 2, 6, 10, 14])
    }
    try checkpoint(
      [("h.0.attn.c_proj.weight", [4, 4])], configuration: #"{"model_type":"gpt2"}"#
    ) { checkpoint in
      let alone = try checkpoint.weights(of: [ModuleShape(name: "transformer.h.0.attn.c_proj")])
      #expect(alone[0].isTransposed)
    }
  }

  @Test("Experts are slices of a fused tensor, or rows of tensors stored apart, Mixtral's included")
  func experts() throws {
    let names = (0..<2).flatMap { expert in
      ["gate_up_proj", "down_proj"].map { "model.layers.0.mlp.experts.\(expert).\($0)" }
    }
    let modules = names.map {
      ModuleShape(
        name: $0, outputs: $0.hasSuffix("up_proj") ? 6 : 4, inputs: $0.hasSuffix("up_proj") ? 4 : 3)
    }
    try checkpoint([
      ("model.layers.0.mlp.experts.gate_up_proj", [2, 6, 4]),
      ("model.layers.0.mlp.experts.down_proj", [2, 4, 3]),
    ]) { checkpoint in
      let weights = try checkpoint.weights(of: modules)
      #expect(weights.map(\.blocks[0].firstElement) == [0, 0, 24, 12])
      #expect(weights.map(\.isTransposed) == [false, false, false, false])
    }
    // gpt-oss stores [experts, inputs, outputs]; its square matrix follows.
    try checkpoint([
      ("model.layers.0.mlp.experts.gate_up_proj", [2, 4, 8]),
      ("model.layers.0.mlp.experts.down_proj", [2, 4, 4]),
    ]) { checkpoint in
      let weights = try checkpoint.weights(of: [
        ModuleShape(name: "model.layers.0.mlp.experts.1.gate_up_proj", outputs: 8, inputs: 5),
        ModuleShape(name: "model.layers.0.mlp.experts.1.down_proj", outputs: 4, inputs: 4),
      ])
      #expect(weights.map(\.isTransposed) == [true, true])
    }
    for (gate, up, down, prefix) in [
      ("gate_proj", "up_proj", "down_proj", "mlp"), ("w1", "w3", "w2", "block_sparse_moe"),
    ] {
      let stored = (0..<2).flatMap { expert in
        [(gate, [3, 4]), (up, [3, 4]), (down, [4, 3])].map { projection, shape in
          (
            name: "model.layers.0.\(prefix).experts.\(expert).\(projection).weight", shape: shape
          )
        }
      }
      try checkpoint(stored) { checkpoint in
        let weights = try checkpoint.weights(of: modules)
        #expect(weights[0].blocks.map(\.elements) == [12, 12])
        let rows = try checkpoint.matrix(of: weights[0], rows: 2..<5, as: Float.self)
        #expect(rows.elements() == [8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7])
        let words = try checkpoint.words(of: weights[0], as: UInt32.self)
        #expect(words == (Array(0..<12) + Array(0..<12)).map { Float($0).bitPattern })
      }
    }
  }

  @Test("The output head of a tied model is the input embedding, once")
  func tied() throws {
    try checkpoint(
      [("model.embed_tokens.weight", [9, 4])], configuration: #"{"tie_word_embeddings":true}"#
    ) { checkpoint in
      let head = ModuleShape(name: "lm_head", outputs: 9, inputs: 4)
      let weights = try checkpoint.weights(of: [head])
      #expect(weights[0].blocks[0].tensor == "model.embed_tokens.weight")
      #expect(!weights[0].isTransposed)
      let embedding = ModuleShape(name: "model.embed_tokens", outputs: 4, inputs: 9)
      #expect(error(checkpoint, embedding, head).contains("tied weights"))
    }
  }

  @Test("What does not match once is refused with names, shapes and what to try")
  func refusals() throws {
    try checkpoint([("model.layers.0.mlp.up_proj.weight", [6, 4])]) { checkpoint in
      let missing = error(checkpoint, ModuleShape(name: "model.layers.0.mlp.up_porj"))
      #expect(missing.contains("up_porj") && missing.contains("\"model.layers.0.mlp.up_proj\""))
      let shape = error(
        checkpoint, ModuleShape(name: "model.layers.0.mlp.up_proj", outputs: 7, inputs: 4))
      #expect(shape.contains("[6, 4]") && shape.contains("7 outputs"))
      let twice = error(
        checkpoint, ModuleShape(name: "model.layers.0.mlp.up_proj"),
        ModuleShape(name: "layers.0.mlp.up_proj"))
      #expect(twice.contains("share the tensor"))
      #expect(error(checkpoint, ModuleShape(name: "lm_head")).contains("no tensor"))
    }
  }
}
