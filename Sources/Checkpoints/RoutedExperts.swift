internal import Curvature
internal import TensorFiles

/// The routed experts that one part of a model has, as they are stored: one like the other.
public struct RoutedExperts: Sendable, Equatable {
  public let count: Int
  /// Of one expert in every layer of the part: what one more slot takes.
  public let bytes: Int
  public let parameters: Int

  package init(count: Int, bytes: Int, parameters: Int) {
    self.count = count
    self.bytes = bytes
    self.parameters = parameters
  }
}

/// All routed experts of a checkpoint, from the names and shapes of its tensors.
///
/// `P.experts.3.w1.weight` belongs to expert 3 of layer P; `P.experts.gate_up_proj` [E, …] holds E
/// experts of layer P, one slice each. Shared experts go by other names and are not counted.
public struct ExpertIndex: Sendable {
  private struct Layer {
    var bytesOfExperts: [Int: Int] = [:]
    var parametersOfExperts: [Int: Int] = [:]
    /// Leading size of the fused tensors, and what one slice of all of them takes.
    var fused: (count: Int, bytes: Int, parameters: Int)?
  }
  private let path: String
  private var layers: [(prefix: String, layer: Layer)] = []

  /// - Throws: `mismatch` where fused tensors of one layer disagree on the number of experts.
  /// - Complexity: O(tensors · log tensors).
  public init(_ checkpoint: Checkpoint) throws(CheckpointError) {
    path = checkpoint.path
    var found: [NaturalName: Layer] = [:]
    for name in checkpoint.tensors.names {
      guard let (prefix, rest) = Self.parts(of: name), let entry = checkpoint.tensors[name] else {
        continue
      }
      var layer = found[NaturalName(prefix)] ?? Layer()
      if let expert = rest.split(separator: ".").first.flatMap({ Int($0) }) {
        layer.bytesOfExperts[expert, default: 0] += entry.byteCount
        layer.parametersOfExperts[expert, default: 0] += entry.elementCount
      } else if let count = entry.shape.first, count > 0 {
        if let fused = layer.fused, fused.count != count {
          throw .mismatch(
            "\(path): \"\(name)\" holds \(count) experts, but another tensor of \"\(prefix).experts\" "
              + "holds \(fused.count); the checkpoint is damaged")
        }
        layer.fused = (
          count, (layer.fused?.bytes ?? 0) + entry.byteCount / count,
          (layer.fused?.parameters ?? 0) + entry.elementCount / count
        )
      }
      found[NaturalName(prefix)] = layer
    }
    layers = found.sorted { $0.key < $1.key }.map { ($0.key.text, $0.value) }
  }

  /// The experts under a part of the model, such as `model.layers.3`; of several layers together, one
  /// slot is an expert in each. Nil where there is none.
  ///
  /// - Throws: `mismatch` where the experts of a layer are not of one size.
  public func experts(of part: String) throws(CheckpointError) -> RoutedExperts? {
    // Of `P.experts` and `P.experts.3` too a slot is an expert of P.
    let part = Self.parts(of: part + ".").map(\.prefix) ?? part
    for name in [part] + WeightNames.aliases(of: part, leading: WeightNames.wrappers) {
      let own = layers.filter { $0.prefix == name || $0.prefix.hasPrefix("\(name).") }
      guard !own.isEmpty else { continue }
      var (count, bytes, parameters) = (0, 0, 0)
      for (prefix, layer) in own {
        let one = try Self.one(of: layer, prefix, path)
        count = max(count, one.count)
        bytes += one.bytes
        parameters += one.parameters
      }
      return RoutedExperts(count: count, bytes: bytes, parameters: parameters)
    }
    return nil
  }

  private static func one(
    of layer: Layer, _ prefix: String, _ path: String
  ) throws(CheckpointError) -> RoutedExperts {
    let sizes = layer.bytesOfExperts
    guard let smallest = sizes.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }),
      let largest = sizes.max(by: { ($0.value, $0.key) < ($1.value, $1.key) })
    else {
      let fused = layer.fused ?? (0, 0, 0)
      return RoutedExperts(count: fused.count, bytes: fused.bytes, parameters: fused.parameters)
    }
    guard smallest.value == largest.value, layer.fused == nil else {
      throw .mismatch(
        "\(path): the experts of \"\(prefix)\" are not of one size: expert \(smallest.key) takes "
          + "\(smallest.value) bytes and expert \(largest.key) \(largest.value); give --cost")
    }
    return RoutedExperts(
      count: sizes.count, bytes: smallest.value,
      parameters: layer.parametersOfExperts[smallest.key] ?? 0)
  }

  /// What lies before and after `.experts.`.
  private static func parts(of name: String) -> (prefix: String, rest: String)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let place = parts.firstIndex(of: "experts"), place > 0, place + 1 < parts.count else {
      return nil
    }
    return (
      parts[..<place].joined(separator: "."), parts[(place + 1)...].joined(separator: ".")
    )
  }
}
