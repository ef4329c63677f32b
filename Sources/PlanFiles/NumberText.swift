/// Numbers as people read them in tables; files hold the exact ones.
public enum NumberText {
  /// About four significant digits: `0.01234`, `12.35`, `1.235e+07`.
  public static func short(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    let size = abs(value)
    if size == 0 { return "0" }
    if size >= 100_000 || size < 0.001 { return scientific(value) }
    return fixed(value, decimals: size >= 1000 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4)
  }

  /// With exactly that many decimals; halves round away from zero.
  public static func fixed(_ value: Double, decimals: Int) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 0x1p62 else { return "\(value)" }
    let digits = String(Int(scaled))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return sign + padded }
    return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }

  /// A unit's capacity: `8.434`, and large ones, such as bytes, in full.
  public static func capacity(_ value: Double) -> String {
    let isLarge = abs(value) >= 100_000 && abs(value) < 0x1p62
    return isLarge ? grouped(Int(value.rounded())) : fixed(value, decimals: 3)
  }

  /// An amount of a budget: whole and large ones in full, `626,688`; others in about four digits. What
  /// rounding leaves beside a whole number is not shown.
  public static func amount(_ value: Double) -> String {
    let size = abs(value)
    let isWhole = abs(value - value.rounded()) <= 1e-9 * max(size, 1)
    guard size < 1e15, isWhole && size >= 1 || size >= 1000 else { return short(value) }
    return grouped(Int(value.rounded()))
  }

  /// A short time: `0.8610 µs` and up to `12.35 ms`.
  public static func latency(_ seconds: Double) -> String {
    seconds < 1e-3 ? "\(short(seconds * 1e6)) µs" : "\(short(seconds * 1e3)) ms"
  }

  /// A share of a whole: `0.4512`.
  public static func share(_ value: Double) -> String { fixed(value, decimals: 4) }

  private static func scientific(_ value: Double) -> String {
    var exponent = 0
    var mantissa = abs(value)
    while mantissa >= 9.9995 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 0.99995 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    let sign = value < 0 ? "-" : ""
    let digits = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
    return "\(sign)\(fixed(mantissa, decimals: 3))e\(exponent < 0 ? "-" : "+")\(digits)"
  }

  /// `1234567` as `1,234,567`.
  public static func grouped(_ value: Int) -> String {
    var digits = String(value.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
  }

  /// Bytes with a decimal unit: `24.7 GB`, `640 kB`, `12 bytes`.
  public static func bytes(_ count: Int) -> String {
    var (value, unit) = (Double(count), "bytes")
    for larger in ["kB", "MB", "GB", "TB", "PB"] where value >= 999.5 {
      (value, unit) = (value / 1000, larger)
    }
    return unit == "bytes"
      ? "\(count) bytes" : "\(fixed(value, decimals: value < 99.95 ? 1 : 0)) \(unit)"
  }
}
