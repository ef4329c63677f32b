/// Which local curvature H̃ the gain ζ² = gᵀ H̃⁻¹ g is taken against.
///
/// Gains of different kinds are in different units (per token or per sample) and must not be
/// compared; one kind is used per run and is named in every output. docs/curvature.md says which
/// kind when.
public enum CurvatureKind: String, CaseIterable, Sendable {
  /// H̃ = I: the squared gradient norm.
  case identity
  /// H̃ = diag(F) + λ I, F the mean squared per-sample gradient.
  case diagonal
  /// H̃ = (A + π √λ I) ⊗ (G + √λ/π I): K-FAC with factored Tikhonov damping.
  case kfac
  /// H̃ = A ⊗ G + λ I, exactly.
  case kronecker
  /// H̃ = (Q_A ⊗ Q_G) diag(Λ) (Q_A ⊗ Q_G)ᵀ + λ I: EK-FAC, second moments in the Kronecker eigenbasis.
  case ekfac
  /// H̃ = (1/N) Σ gᵢ gᵢᵀ + λ I: the empirical Fisher of N samples, from their Gram matrix alone.
  case fisher
  /// H̃ = H + λ I, H given in full for a small module.
  case dense

  /// Whether the curvature is A ⊗ G, a mean over tokens; the others are means over samples.
  public var isPerToken: Bool { self == .kfac || self == .kronecker }

  /// Whether H̃ is one matrix on either side of a gradient, so that whitening keeps its rank: the singular
  /// values of L_G⁻¹ W L_A⁻ᵀ are then what single ranks of an update are worth.
  public var hasSpectrum: Bool { self == .kfac || self == .identity }

  /// What a module must bring along beside its gradient. Where several things would do, that which
  /// it has is named.
  func required(of module: ModuleStatistics) -> [StatisticsQuantity] {
    switch self {
    case .identity: []
    case .diagonal: [.fisherDiagonal]
    case .kfac, .kronecker: [.activationCovariance, .gradientCovariance]
    case .ekfac:
      [.lambdaMatrix]
        + [KroneckerSide.activation, .gradient].map {
          // The eigenvectors of a diagonal factor are the axes.
          module.isDiagonal($0.covariance) ? $0.covariance : $0.eigenvectors
        }
    case .fisher: module.key(.gram) != nil ? [.gram] : [.tokenInputs, .tokenOutputGradients]
    case .dense: [.hessian]
    }
  }
}

/// The precision of factorizations and solves.
public enum Precision: String, CaseIterable, Sendable {
  case single
  case double

  /// The largest relative error of one rounding.
  var unitRoundoff: Double {
    switch self {
    case .single: 0x1p-24
    case .double: 0x1p-53
    }
  }

  static func of<Element: Readable>(_ type: Element.Type) -> Precision {
    Element.self == Float.self ? .single : .double
  }
}
