/// −Σ n ρ(μ) against μ.
struct PruningDemand: DemandCurve {
  let scale: FixedPointScale
  let psi: PruningProgram.Psi

  func point(at key: Int64) -> Double { OrderedKey.value(of: key) }

  func term(of unit: PricedPruning, at mu: Double) -> Int128 {
    -scale.fixed(unit.weights * unit.share(at: mu, psi: psi))
  }
}
