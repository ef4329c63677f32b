internal import FoundationEssentials
public import TensorFiles

/// An opened Hugging Face folder: headers checked, no weight read. The same on every rank.
public struct Checkpoint: Sendable {
  public let path: String
  public let tensors: TensorCollection
  let configuration: Configuration
  /// Experts that a token is sent to, where `config.json` says it.
  public let expertsPerToken: Int?

  /// What `config.json` says that decides where weights lie.
  struct Configuration: Sendable, Decodable {
    var modelType: String?
    var tiesEmbeddings: Bool?

    enum CodingKeys: String, CodingKey {
      case modelType = "model_type"
      case tiesEmbeddings = "tie_word_embeddings"
    }

    /// Families that tie output head and embedding unless their configuration says otherwise.
    private static let tiedByDefault: Set<String> = [
      "gpt2", "openai-gpt", "bloom", "opt", "gpt_neo", "codegen", "t5", "bert", "gemma", "gemma2",
      "gemma3", "gemma3_text", "cohere",
    ]
    /// Families whose modules are Conv1D, stored [inputs, outputs].
    private static let conv1D: Set<String> = [
      "gpt2", "openai-gpt", "imagegpt", "decision_transformer",
    ]

    /// Families whose fused experts are stored [experts, inputs, outputs].
    private static let transposedExperts: Set<String> = ["gpt_oss", "llama4", "llama4_text"]

    var ties: Bool { tiesEmbeddings ?? Self.tiedByDefault.contains(modelType ?? "") }
    var usesConv1D: Bool { Self.conv1D.contains(modelType ?? "") }
    var transposesExperts: Bool { Self.transposedExperts.contains(modelType ?? "") }
  }

  /// Opens the folder; see ``TensorCollection/init(checkpoint:)`` for which files.
  ///
  /// A missing `config.json` is no error: most modules are found without it.
  public init(path: String) throws(CheckpointError) {
    do { tensors = try TensorCollection(checkpoint: path) } catch { throw .file(error) }
    self.path = path
    let config = try? Data(contentsOf: URL(filePath: path).appending(path: "config.json"))
    configuration =
      config.flatMap { try? JSONDecoder().decode(Configuration.self, from: $0) } ?? Configuration()
    expertsPerToken = config.flatMap {
      try? JSONDecoder().decode(ExpertRouting.self, from: $0).expertsPerToken
    }
  }

  /// Equal for equal headers, however they are divided over files.
  public var headerFingerprint: UInt64 { tensors.headerFingerprint }
  public var totalByteCount: Int { tensors.totalByteCount }

  /// Of headers and a sample of the data, by which hosts notice that they see different files.
  public func sampledFingerprint() throws(CheckpointError) -> UInt64 {
    do throws(TensorFileError) { return try tensors.sampledFingerprint() } catch {
      throw .file(error)
    }
  }
}
