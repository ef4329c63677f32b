internal import PlanFiles

/// Amounts of a budget as people read them: whole and large ones in full, `145,152`; others in about
/// four digits.
func amountText(_ value: Double) -> String {
  let isWhole = value == value.rounded()
  guard abs(value) < 1e15, isWhole || abs(value) >= 1000 else { return NumberText.short(value) }
  return NumberText.grouped(Int(value.rounded()))
}
