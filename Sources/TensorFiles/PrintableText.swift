/// Foreign text made safe for one line of a terminal: controls, bidirectional overrides, invisible
/// and unassigned characters, quotes and backslashes are escaped, and a long text is cut.
///
/// - Returns: at most ``HeaderLimits/quotedScalars`` scalars of `text`, then its length if cut.
/// - Complexity: O(limit), whatever the length, except for the length in the note: O(n).
func printable(_ text: String) -> String {
  let scalars = text.unicodeScalars
  let limit = HeaderLimits.quotedScalars
  guard let cut = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
    cut != scalars.endIndex
  else { return escaped(scalars[...]) }
  return escaped(scalars[..<cut]) + "... (\(text.utf8.count) bytes in all)"
}

/// A path for a message: like ``printable(_:)``, but a long one keeps its end, the file's name.
func printablePath(_ path: String) -> String {
  let scalars = path.unicodeScalars
  let limit = HeaderLimits.quotedScalars
  guard
    let cut = scalars.index(scalars.endIndex, offsetBy: -limit, limitedBy: scalars.startIndex),
    cut != scalars.startIndex
  else { return escaped(scalars[...]) }
  return "..." + escaped(scalars[cut...])
}

/// The numbers of a shape or an index, at most eight of them: `[2, 3]`.
func printable(_ numbers: [Int]) -> String {
  let shown = numbers.prefix(8).map(String.init).joined(separator: ", ")
  return numbers.count > 8 ? "[\(shown), ... \(numbers.count) axes]" : "[\(shown)]"
}

/// One byte for a message: itself in quotes when it is visible ASCII, else in hexadecimal.
func printable(_ byte: UInt8) -> String {
  if byte > 0x20 && byte < 0x7F { return "'\(Character(Unicode.Scalar(byte)))'" }
  return "byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
}

private func escaped(_ scalars: Substring.UnicodeScalarView) -> String {
  var result = ""
  for scalar in scalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    default:
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
        .unassigned:
        result += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
      default: result.unicodeScalars.append(scalar)
      }
    }
  }
  return result
}
