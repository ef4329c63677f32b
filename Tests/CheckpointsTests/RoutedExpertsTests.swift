import Checkpoints
import TensorFiles
import TestSupport
import Testing

@Suite("Routed experts of a checkpoint")
struct RoutedExpertsTests {
  private func index<Result>(
    _ tensors: [(name: String, type: ElementType, shape: [Int])], configuration: String = "{}",
    _ body: (Checkpoint) throws -> Result
  ) throws -> Result {
    try temporaryFolder { folder in
      try TensorFileWriter.write(
        tensors.map { name, type, shape in
          let bytes = shape.reduce(1, *) * type.bitWidth / 8
          return (name, type, shape, [UInt8](repeating: 0, count: bytes))
        }, metadata: [:], to: "\(folder)/model.safetensors")
      try DurableFile.write(Array(configuration.utf8), to: "\(folder)/config.json")
      return try body(try Checkpoint(path: folder))
    }
  }

  @Test(
    "A slot takes one expert's tensors, each its own or a slice of a fused one; shared ones stay out"
  )
  func sizes() throws {
    var tensors: [(String, ElementType, [Int])] = [
      ("model.layers.1.mlp.experts.gate_up_proj", .bfloat16, [6, 3, 8]),
      ("model.layers.1.mlp.experts.gate_up_proj_bias", .float32, [6, 8]),
      ("model.layers.1.mlp.shared_experts.up_proj.weight", .float32, [50, 50]),
      ("model.layers.2.mlp.up_proj.weight", .float32, [5, 5]),
    ]
    for expert in 0..<4 {
      tensors.append(
        ("model.layers.10.block_sparse_moe.experts.\(expert).w1.weight", .float32, [3, 5]))
      tensors.append(
        ("model.layers.10.block_sparse_moe.experts.\(expert).w2.weight", .unsigned8, [5, 2]))
    }
    try index(tensors) { checkpoint in
      let experts = try ExpertIndex(checkpoint)
      let fused = try experts.experts(of: "model.layers.1")
      #expect(fused?.count == 6 && fused?.bytes == 3 * 8 * 2 + 8 * 4 && fused?.parameters == 32)
      for name in ["model.layers.10", "layers.10", "model.layers.10.block_sparse_moe.experts.2"] {
        let apart = try experts.experts(of: name)
        #expect(apart?.count == 4 && apart?.bytes == 70 && apart?.parameters == 25, "\(name)")
      }
      #expect(try experts.experts(of: "model.layers.2") == nil)
      #expect(try experts.experts(of: "model") == RoutedExperts.sum(fused, apart: 70, 25))
    }
  }

  @Test("Experts of different sizes have no one cost")
  func unequal() throws {
    try index([
      ("l.0.experts.0.w", .float32, [2, 2]), ("l.0.experts.1.w", .float32, [2, 3]),
    ]) { checkpoint in
      let experts = try ExpertIndex(checkpoint)
      let error = #expect(throws: CheckpointError.self) { try experts.experts(of: "l.0") }
      #expect(error.map { "\($0)".contains("expert 0 takes 16 bytes and expert 1 24") } == true)
    }
    _ = try index([("l.0.experts.a", .float32, [2, 2]), ("l.0.experts.b", .float32, [3, 2])]) {
      checkpoint in
      #expect(throws: CheckpointError.self) { try ExpertIndex(checkpoint) }
    }
  }

  @Test(
    "How many experts a token is sent to is read under the families' names",
    arguments: [
      (#"{"num_experts_per_tok": 2}"#, 2), (#"{"ffn_config": {"moe_top_k": 4}}"#, 4),
      (#"{"text_config": {"num_experts_per_tok": 8}, "num_experts_per_tok": null}"#, 8),
      (#"{"experts_per_token": 3, "moe_topk": [1, 2]}"#, 3), (#"{"model_type": "llama"}"#, nil),
    ] as [(String, Int?)])
  func routing(configuration: String, expected: Int?) throws {
    try index([("a", .float32, [1])], configuration: configuration) { checkpoint in
      #expect(checkpoint.expertsPerToken == expected)
    }
  }
}

extension RoutedExperts {
  /// One slot in a fused layer and in one whose experts take this much.
  fileprivate static func sum(_ fused: RoutedExperts?, apart bytes: Int, _ parameters: Int) -> Self?
  {
    fused.map {
      RoutedExperts(
        count: $0.count, bytes: $0.bytes + bytes, parameters: $0.parameters + parameters)
    }
  }
}
