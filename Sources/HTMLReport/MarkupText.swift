/// Foreign text as the text of an element or a quoted attribute, in HTML and in SVG alike.
///
/// The five characters that markup gives a meaning become entities. Controls, bidirectional overrides
/// and invisible characters become visible escapes `\u{202E}`: they could make a name look like
/// another one, and XML does not allow controls at all.
func markup(_ text: String) -> String {
  var result = ""
  result.reserveCapacity(text.utf8.count)
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case _ where scalar.isASCII && scalar.value >= 0x20 && scalar.value != 0x7F:
      result.unicodeScalars.append(scalar)
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
