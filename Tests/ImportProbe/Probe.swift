// Compile-only: this target depends on our libraries and on no C module. It fails to build if a C
// module leaks through a public interface, because it could then not import ours.
internal import Allocation
internal import Collectives
internal import Curvature
internal import DenseLinearAlgebra
internal import TensorFiles

/// One public symbol of every library, used.
func probe(statistics path: String) throws -> Double {
  let tensors = try TensorCollection(path: path)
  let statistics = try Statistics(path: path)
  let matrix = Matrix<Double>(rows: 2, columns: 2, elements: [2, 1, 1, 2])
  let factor = try CholeskyFactor(factorizing: matrix)
  var search = PriceSearch(method: .accelerated)
  let solution = try CapacityProgram(budget: Double(tensors.names.count)).solve(
    [CapacityUnit(index: 0, quality: 1, cost: 1, lower: 0, upper: 1)], totalUnits: 1,
    wholeNumbers: false, search: &search, over: SoloCollective())
  return solution.price + factor.reciprocalCondition + Double(statistics.modules.count)
}
