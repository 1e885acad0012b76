//! The readable text of HTML, roughly: for a preview, not for display.

/// Appends text to `out` until it has `enough` bytes: tags, comments, styles and scripts dropped, entities undone.
pub(super) fn strip_tags(html: &str, enough: usize, out: &mut String) {
    let mut rest = html;
    while out.len() < enough {
        let Some(at) = rest.find(['<', '&']) else {
            out.push_str(rest);
            return;
        };
        let (before, special) = rest.split_at(at);
        out.push_str(before);
        rest = if special.starts_with('&') { entity(special, out) } else { tag(special, out) };
    }
}

/// Passes one tag, and for those whose content is no text that too.
fn tag<'h>(html: &'h str, out: &mut String) -> &'h str {
    if let Some(comment) = html.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, after)| after);
    }
    let name_end = html.bytes().skip(1).position(|byte| !byte.is_ascii_alphanumeric() && byte != b'/').map_or(html.len(), |at| at + 1);
    let name = html.get(1..name_end).unwrap_or_default();
    if name.is_empty() && !html.starts_with("<!") && !html.starts_with("<?") {
        out.push('<');
        return html.get(1..).unwrap_or_default();
    }
    let after = html.split_once('>').map_or("", |(_, after)| after);
    out.push_str(if is_inline(name) { "" } else { " " });
    for hidden in ["style", "script", "title"] {
        if name.eq_ignore_ascii_case(hidden) {
            return after_end_of(hidden, after);
        }
    }
    after
}

/// Tags that do not part words.
fn is_inline(name: &str) -> bool {
    let name = name.trim_start_matches('/');
    ["a", "b", "i", "u", "s", "em", "strong", "span", "font", "small", "big", "sub", "sup", "code", "mark"]
        .iter()
        .any(|inline| name.eq_ignore_ascii_case(inline))
}

fn after_end_of<'h>(name: &str, html: &'h str) -> &'h str {
    let mut rest = html;
    while let Some((_, after)) = rest.split_once("</") {
        if after.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return after.split_once('>').map_or("", |(_, after)| after);
        }
        rest = after;
    }
    ""
}

/// The character references that mail really has.
fn entity<'h>(html: &'h str, out: &mut String) -> &'h str {
    let end = html.bytes().take(12).position(|byte| byte == b';');
    let Some((name, after)) = end.and_then(|end| Some((html.get(1..end)?, html.get(end + 1..)?))) else {
        out.push('&');
        return html.get(1..).unwrap_or_default();
    };
    let number = name.strip_prefix('#').and_then(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    });
    let character = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" | "ensp" | "emsp" | "thinsp" => Some(' '),
        "zwnj" | "zwj" | "shy" => Some('\u{200b}'),
        "copy" => Some('\u{a9}'),
        "euro" => Some('\u{20ac}'),
        "hellip" => Some('\u{2026}'),
        "ndash" => Some('\u{2013}'),
        "mdash" => Some('\u{2014}'),
        "lsquo" => Some('\u{2018}'),
        "rsquo" => Some('\u{2019}'),
        "ldquo" => Some('\u{201c}'),
        "rdquo" => Some('\u{201d}'),
        "auml" => Some('ä'),
        "ouml" => Some('ö'),
        "uuml" => Some('ü'),
        "Auml" => Some('Ä'),
        "Ouml" => Some('Ö'),
        "Uuml" => Some('Ü'),
        "szlig" => Some('ß'),
        "eacute" => Some('é'),
        "egrave" => Some('è'),
        "agrave" => Some('à'),
        _ => number.and_then(char::from_u32),
    };
    match character {
        Some(character) => out.push(character),
        None => out.push_str(html.get(..name.len() + 2).unwrap_or_default()),
    }
    after
}
