/// Which local curvature H̃ the gain ζ² = gᵀ H̃⁻¹ g is taken against.
///
/// Gains of different kinds are in different units (per token or per sample) and must not be
/// compared; one kind is used per run and is named in every output.
public enum CurvatureKind: String, CaseIterable, Sendable {
  /// H̃ = I: the squared gradient norm.
  case identity
  /// H̃ = diag(F) + λ I, F the mean squared per-sample gradient.
  case diagonal
  /// H̃ = (A + π √λ I) ⊗ (G + √λ/π I): K-FAC with factored Tikhonov damping.
  case kfac
  /// H̃ = H + λ I, H given in full for a small module.
  case dense

  /// What a module must bring along.
  var requiredQuantities: [StatisticsQuantity] {
    switch self {
    case .identity: []
    case .diagonal: [.fisherDiagonal]
    case .kfac: [.activationCovariance, .gradientCovariance]
    case .dense: [.hessian]
    }
  }
}

/// The precision of factorizations and solves.
public enum Precision: String, CaseIterable, Sendable {
  case single
  case double
}
