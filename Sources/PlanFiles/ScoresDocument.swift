/// A scores file: what each unit could still gain, and how that was computed.
///
/// `layerbudget.scores/1`; the fields are listed in docs/formats.md.
public struct ScoresDocument: Codable, Sendable, Equatable {
  public static let format = "layerbudget.scores/1"

  public var format = ScoresDocument.format
  /// The curvature kind, or `external` for scores of another method.
  public var curvature: String
  public var damping: String
  /// How gains became qualities.
  public var parameters: [String: ParameterValue]
  public var units: [Unit]
  public var inputs: [String: InputFingerprint]
  /// What a reader should know, such as layers missing from the sequence.
  public var notes: [String]

  public struct Unit: Codable, Sendable, Equatable {
    public var name: String
    public var modules: [String]
    public var parameters: Int
    /// The gain in use, summed over the unit's modules; never negative.
    public var gain: Double
    /// ζ² of the mean gradients over all samples, noise included.
    public var gainPlain: Double?
    /// ζ²_× over pairs of different folds: unbiased, and negative where there is only noise.
    public var gainCrossFitted: Double?
    /// Standard error of `gainCrossFitted`.
    public var standardError: Double?
    /// `gainCrossFitted` of all folds but one, for every one; negative values are as found.
    public var gainWithoutFold: [Double]?
    /// 1 − gainCrossFitted / gainPlain, within 0 ... 1: the share of the plain gain that is noise.
    public var noiseShare: Double?
    /// Whether the gain is at least two standard errors; nil where no error is known.
    public var isDistinguishable: Bool?
    /// What sampling noise alone adds to the plain gain, as predicted; only without folds.
    public var predictedNoise: Double?
    /// ½ Σ w² h: what zeroing all weights costs to second order, each taken alone; only with a
    /// checkpoint.
    public var damage: Double?
    /// ‖g‖².
    public var gradientNormSquared: Double?
    public var quality: Double?
    public var modulesDetail: [Module]

    enum CodingKeys: String, CodingKey {
      case name, modules, parameters, gain, quality, damage
      case gradientNormSquared = "gradient_norm_squared"
      case modulesDetail = "modules_detail"
      case gainPlain = "gain_plain"
      case gainCrossFitted = "gain_cross_fitted"
      case standardError = "standard_error"
      case noiseShare = "noise_share"
      case gainWithoutFold = "gain_without_fold"
      case predictedNoise = "predicted_noise"
      case isDistinguishable = "distinguishable_from_noise"
    }

    public init(
      name: String, modules: [String], parameters: Int, gain: Double,
      gradientNormSquared: Double?, quality: Double?, modulesDetail: [Module]
    ) {
      self.name = name
      self.modules = modules
      self.parameters = parameters
      self.gain = gain
      self.gradientNormSquared = gradientNormSquared
      self.quality = quality
      self.modulesDetail = modulesDetail
    }

    /// Another method's file may say less: only name and gain are required.
    public init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      name = try fields.decode(String.self, forKey: .name)
      gain = try fields.decode(Double.self, forKey: .gain)
      modules = try fields.decodeIfPresent([String].self, forKey: .modules) ?? []
      parameters = try fields.decodeIfPresent(Int.self, forKey: .parameters) ?? 0
      quality = try fields.decodeIfPresent(Double.self, forKey: .quality)
      gradientNormSquared = try fields.decodeIfPresent(Double.self, forKey: .gradientNormSquared)
      modulesDetail = try fields.decodeIfPresent([Module].self, forKey: .modulesDetail) ?? []
      damage = try fields.decodeIfPresent(Double.self, forKey: .damage)
      gainPlain = try fields.decodeIfPresent(Double.self, forKey: .gainPlain)
      gainCrossFitted = try fields.decodeIfPresent(Double.self, forKey: .gainCrossFitted)
      gainWithoutFold = try fields.decodeIfPresent([Double].self, forKey: .gainWithoutFold)
      standardError = try fields.decodeIfPresent(Double.self, forKey: .standardError)
      noiseShare = try fields.decodeIfPresent(Double.self, forKey: .noiseShare)
      predictedNoise = try fields.decodeIfPresent(Double.self, forKey: .predictedNoise)
      isDistinguishable = try fields.decodeIfPresent(Bool.self, forKey: .isDistinguishable)
    }
  }

  public init(
    curvature: String, damping: String, parameters: [String: ParameterValue], units: [Unit],
    inputs: [String: InputFingerprint], notes: [String] = []
  ) {
    self.notes = notes
    self.curvature = curvature
    self.damping = damping
    self.parameters = parameters
    self.units = units
    self.inputs = inputs
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    format = try fields.decode(String.self, forKey: .format)
    curvature = try fields.decodeIfPresent(String.self, forKey: .curvature) ?? "external"
    damping = try fields.decodeIfPresent(String.self, forKey: .damping) ?? "none"
    parameters =
      try fields.decodeIfPresent([String: ParameterValue].self, forKey: .parameters) ?? [:]
    units = try fields.decode([Unit].self, forKey: .units)
    inputs = try fields.decodeIfPresent([String: InputFingerprint].self, forKey: .inputs) ?? [:]
    notes = try fields.decodeIfPresent([String].self, forKey: .notes) ?? []
  }
}

/// An option as resolved: text, number or truth value.
public enum ParameterValue: Codable, Sendable, Equatable {
  case text(String)
  case number(Double)
  case flag(Bool)

  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let flag = try? value.decode(Bool.self) {
      self = .flag(flag)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else {
      self = .text(try value.decode(String.self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .text(let text): try value.encode(text)
    case .number(let number): try value.encode(number)
    case .flag(let flag): try value.encode(flag)
    }
  }
}

/// By what an input is recognised, wherever it lies.
public struct InputFingerprint: Codable, Sendable, Equatable {
  /// Total size of the tensors, or of the file.
  public var bytes: Int
  /// Hash of names, types, shapes and metadata, as 16 hexadecimal digits.
  public var headers: String?
  /// Combined checksum of the contents that were really read.
  public var contents: String

  public init(bytes: Int, headers: String?, contents: String) {
    self.bytes = bytes
    self.headers = headers
    self.contents = contents
  }
}
