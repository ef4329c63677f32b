/// What was done to a checkpoint: `layerbudget-apply.json` beside the pruned weights.
///
/// `layerbudget.apply/1`; the fields are listed in docs/formats.md. Nothing in it depends on the
/// number of ranks, paths or time.
public struct ApplyDocument: Codable, Sendable, Equatable {
  public static let format = "layerbudget.apply/1"
  public static let fileName = "layerbudget-apply.json"

  public var format = ApplyDocument.format
  public var method: String
  public var within: String
  /// `N:M` as asked for, or `none`.
  public var pattern: String
  /// Of sparsegpt's arithmetic; absent for the other methods.
  public var precision: String?
  /// Weights of all planned modules.
  public var weights: Int
  /// Weights chosen to be 0.
  public var pruned: Int
  public var zerosBefore: Int
  /// Weights that are 0 in the files that were written, counted there.
  public var zeros: Int
  /// zeros / weights.
  public var sparsity: Double
  public var modules: [Module]
  public var tensors: [Tensor]
  public var files: [File]
  public var inputs: [String: InputFingerprint]
  public var notes: [String]

  enum CodingKeys: String, CodingKey {
    case format, method, within, pattern, precision, weights, pruned, zeros, sparsity, modules
    case tensors, files, inputs, notes
    case zerosBefore = "zeros_before"
  }

  public init(
    method: String, within: String, pattern: String, precision: String?, modules: [Module],
    tensors: [Tensor], files: [File], inputs: [String: InputFingerprint], notes: [String]
  ) {
    self.method = method
    self.within = within
    self.pattern = pattern
    self.precision = precision
    self.modules = modules
    self.tensors = tensors
    self.files = files
    self.inputs = inputs
    self.notes = notes
    weights = modules.reduce(0) { $0 + $1.weights }
    pruned = modules.reduce(0) { $0 + $1.pruned }
    zerosBefore = modules.reduce(0) { $0 + $1.zerosBefore }
    zeros = modules.reduce(0) { $0 + $1.zeros }
    sparsity = weights > 0 ? Double(zeros) / Double(weights) : 0
  }

  public struct Module: Codable, Sendable, Equatable {
    public var name: String
    public var unit: String
    public var tensors: [String]
    /// [outputs, inputs].
    public var shape: [Int]
    public var weights: Int
    public var pruned: Int
    public var zerosBefore: Int
    public var zeros: Int
    public var pattern: String?

    enum CodingKeys: String, CodingKey {
      case name, unit, tensors, shape, weights, pruned, zeros, pattern
      case zerosBefore = "zeros_before"
    }

    public init(
      name: String, unit: String, tensors: [String], shape: [Int], weights: Int, pruned: Int,
      zerosBefore: Int, zeros: Int, pattern: String?
    ) {
      self.name = name
      self.unit = unit
      self.tensors = tensors
      self.shape = shape
      self.weights = weights
      self.pruned = pruned
      self.zerosBefore = zerosBefore
      self.zeros = zeros
      self.pattern = pattern
    }
  }

  /// A tensor of the checkpoint, with XXH64 of its bytes before and after as 16 hexadecimal digits.
  public struct Tensor: Codable, Sendable, Equatable {
    public var name: String
    public var input: String
    public var output: String

    public init(name: String, input: String, output: String) {
      self.name = name
      self.input = input
      self.output = output
    }
  }

  /// A file that was copied, by its path in the folder.
  public struct File: Codable, Sendable, Equatable {
    public var name: String
    public var bytes: Int
    public var contents: String

    public init(name: String, bytes: Int, contents: String) {
      self.name = name
      self.bytes = bytes
      self.contents = contents
    }
  }
}

/// A line of an apply's journal: one module that is written.
public struct ApplyRecord: Codable, Sendable, Equatable {
  public var module: String
  /// XXH64 of the module's bytes before and after, as 16 hexadecimal digits.
  public var input: String
  public var output: String
  /// Checksum of what the method read of the statistics.
  public var statistics: String
  public var pruned: Int
  public var zerosBefore: Int
  /// Zeros that were written.
  public var zeros: Int

  enum CodingKeys: String, CodingKey {
    case module, input, output, statistics, pruned, zeros
    case zerosBefore = "zeros_before"
  }

  public init(
    module: String, input: String, output: String, statistics: String, pruned: Int,
    zerosBefore: Int, zeros: Int = 0
  ) {
    self.module = module
    self.input = input
    self.output = output
    self.statistics = statistics
    self.pruned = pruned
    self.zerosBefore = zerosBefore
    self.zeros = zeros
  }
}
