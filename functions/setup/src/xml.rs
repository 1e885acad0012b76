//! Writing XML 1.0.

use std::fmt::Write;

pub(crate) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Text as it may stand in an element or in an attribute. What XML cannot hold at all becomes U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() && !matches!(c, '\t' | '\n') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// One element with text in it, indented by `depth` steps, on a line of its own.
pub(crate) fn element(depth: usize, name: &str, text: impl std::fmt::Display, out: &mut String) {
    let _ = writeln!(out, "{:width$}<{name}>{}</{name}>", "", escape(&text.to_string()), width = depth * 2);
}
