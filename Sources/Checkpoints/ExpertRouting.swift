/// What `config.json` says of how many experts a token is sent to.
///
/// Model families have different names for it; multimodal ones keep it in a part of the configuration.
struct ExpertRouting: Decodable, Sendable {
  let expertsPerToken: Int?

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case mixtral = "num_experts_per_tok"
    case nemotron = "num_experts_per_token"
    case gptOSS = "experts_per_token"
    case dbrx = "moe_top_k"
    case hunyuan = "moe_topk"
    case text = "text_config"
    case feedForward = "ffn_config"
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    let own = CodingKeys.allCases.lazy.compactMap { try? fields.decode(Int.self, forKey: $0) }.first
    let parts = [CodingKeys.text, .feedForward].lazy.compactMap {
      try? fields.decode(ExpertRouting.self, forKey: $0)
    }
    expertsPerToken = own ?? parts.compactMap(\.expertsPerToken).first
  }
}
