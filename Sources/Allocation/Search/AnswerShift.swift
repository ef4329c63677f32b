/// How an answer goes along when another one that it depends on changes.
struct AnswerShift: Sendable {
  /// About where the answer goes when the other one changes from one key to another.
  let shifted: @Sendable (_ value: Double, _ from: Int64, _ to: Int64) -> Double
  /// Whether that is right but for the last digits.
  let isExact: Bool

  func key(_ key: Int64, from answer: Int64, to other: Int64) -> Int64 {
    let value = shifted(OrderedKey.value(of: key), answer, other)
    return value.isFinite ? OrderedKey.key(of: value) : key
  }

  /// How many keys around a value are one to it: what is added to it before it counts rounds them off.
  let grain: @Sendable (_ value: Double) -> Double

  /// By which part of what the answer moves that is likely to be off.
  var error: Double { isExact ? 0x1p-16 : 0.5 }
}

/// How fast a demand grows with the answer of another search.
struct AnswerSlope {
  /// Per change of the value that the answer's key stands for.
  private let slope: Double

  init?(from answer: Int64, _ demand: Int128, to other: Int64, _ otherDemand: Int128) {
    slope =
      Double(otherDemand - demand) / (OrderedKey.value(of: other) - OrderedKey.value(of: answer))
    guard slope.isFinite else { return nil }
  }

  /// What a point that was measured under an answer would be under another, but for what the demand bends: by
  /// as much as the answers differ.
  func moved(_ point: MeasuredPoint, from answer: Int64, to other: Int64) -> MeasuredPoint {
    let (from, to) = (OrderedKey.value(of: answer), OrderedKey.value(of: other))
    let change = slope * (to - from)
    guard abs(Double(point.demand)) + abs(change) < 0x1p125 else { return point }
    return MeasuredPoint(
      key: point.key, demand: point.demand + Int128(change),
      error: point.error + abs(change) * min(4 * abs(to / from - 1), 0.5))
  }

  /// An answer beside one, to tell the slope from: near, but not so near that it is lost in roundings. Nil where so
  /// few are left that none is needed.
  static func neighbour(of answer: Int64, in answers: ClosedRange<Int64>) -> Int64? {
    let below = OrderedKey.distance(answer, answers.lowerBound + 1)
    let above = OrderedKey.distance(answer, answers.upperBound)
    let distance = Int64(min(max(below, above), 0x1p32))
    guard distance > 1 << 8 else { return nil }
    return above >= below ? answer + distance : answer - distance
  }
}
