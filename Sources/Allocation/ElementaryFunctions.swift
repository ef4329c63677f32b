internal import Glibc

/// log(1 + x), accurate for small x.
func logOnePlus(_ x: Double) -> Double { log1p(x) }

/// e^x − 1, accurate for small x.
func expMinusOne(_ x: Double) -> Double { expm1(x) }

/// Natural logarithm.
func naturalLog(_ x: Double) -> Double { log(x) }

/// base^exponent for base ≥ 0; exactly `base` for exponent 1 and exactly 1 for exponent 0.
func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
