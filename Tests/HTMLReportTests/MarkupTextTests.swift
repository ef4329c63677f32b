import Testing

@testable import HTMLReport

@Suite struct MarkupTextTests {
  @Test("Markup in names stays text")
  func hostileNames() {
    #expect(
      markup(#"<script>alert('x') && "y"</script>"#)
        == "&lt;script&gt;alert(&#39;x&#39;) &amp;&amp; &quot;y&quot;&lt;/script&gt;")
  }

  @Test("Controls and characters that turn text around are shown as escapes")
  func invisibleCharacters() {
    #expect(markup("a\u{202E}b\u{0}c\nd\u{7F}") == #"a\u{202E}b\u{0}c\u{A}d\u{7F}"#)
    #expect(markup("größe 層") == "größe 層")
  }
}
