/// Under which tensor names a module's weights may be stored, best first.
///
/// Statistics name modules as a loaded model does; checkpoints keep the names they were published
/// with. What differs is known family by family and written down here.
enum WeightNames {
  /// One way in which a module may be stored.
  enum Form: Equatable {
    /// A tensor of its own.
    case tensor(String)
    /// Slice `expert` of a 3-D tensor.
    case slice(String, expert: Int)
    /// Two tensors that the model holds as one, rows of the first above rows of the second.
    case stack(String, String)
  }

  static func forms(of module: String) -> [Form] {
    var forms: [Form] = [.tensor("\(module).weight"), .tensor(module)]
    let parts = module.split(separator: ".", omittingEmptySubsequences: false).map(String.init)

    // An expert of a fused module: P.experts.3.gate_up_proj is slice 3 of P.experts.gate_up_proj.
    if parts.count >= 3, let expert = Int(parts[parts.count - 2]) {
      let prefix = parts.dropLast(2).joined(separator: ".")
      let parameter = parts[parts.count - 1]
      forms.append(.slice("\(prefix).\(parameter)", expert: expert))
      forms.append(.slice("\(prefix).\(parameter).weight", expert: expert))

      // Published one tensor per expert and projection, fused when loaded.
      for stored in apart(prefix) {
        let base = "\(stored).\(expert)"
        switch parameter {
        case "gate_up_proj":
          forms.append(.stack("\(base).gate_proj.weight", "\(base).up_proj.weight"))
          forms.append(.stack("\(base).w1.weight", "\(base).w3.weight"))
        case "gate_proj": forms.append(.tensor("\(base).w1.weight"))
        case "up_proj": forms.append(.tensor("\(base).w3.weight"))
        case "down_proj":
          forms.append(.tensor("\(base).down_proj.weight"))
          forms.append(.tensor("\(base).w2.weight"))
        default: break
        }
      }
    }
    // A router where Mixtral keeps it.
    if module.hasSuffix(".mlp.gate") {
      forms.append(.tensor("\(module.dropLast(9)).block_sparse_moe.gate.weight"))
    }
    return forms
  }

  /// Where experts that a model holds under `prefix` may be stored: also under Mixtral's name.
  private static func apart(_ prefix: String) -> [String] {
    guard prefix.hasSuffix(".mlp.experts") else { return [prefix] }
    return [prefix, "\(prefix.dropLast(12)).block_sparse_moe.experts"]
  }

  /// Names under which input embeddings are stored.
  static let embeddings = [
    "embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight",
    "tokens_embed.weight", "shared.weight",
  ]

  /// Names under which output heads are known.
  static func isOutputHead(_ module: String) -> Bool {
    ["lm_head", "embed_out", "output"].contains(module.split(separator: ".").last.map(String.init))
  }

  /// The module's name with a leading part less or more: models wrap and unwrap their trunk.
  static func aliases(of module: String, leading: [String]) -> [String] {
    let dropped = module.split(separator: ".", maxSplits: 1).map(String.init)
    return (dropped.count == 2 && leading.contains(dropped[0]) ? [dropped[1]] : [])
      + leading.map { "\($0).\(module)" }
  }

  /// Leading parts that come and go.
  static let wrappers = ["model", "transformer", "language_model", "base_model", "backbone"]
}
