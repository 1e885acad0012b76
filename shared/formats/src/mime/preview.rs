//! The line that a list of messages shows below the subject, and whether there is a paper clip beside it.

use super::html::strip_tags;
use super::summary::Part;
use super::text::text_of;

const CHARACTERS: usize = 120;
/// As much of a body as is looked at: first a little, which is nearly always enough, then this.
const FEW: usize = 700;
const MOST: usize = 16 * 1024;

/// The first plain text, or the first HTML without its tags where the plain text is missing or empty: white space
/// folded, at most 120 characters.
pub(super) fn preview(root: &Part, message: &[u8]) -> String {
    let texts = ["plain", "html"].iter().filter_map(|subtype| first_text(root, subtype));
    texts.map(|part| preview_of(part, part.body_of(message))).find(|preview| !preview.is_empty()).unwrap_or_default()
}

fn preview_of(part: &Part, body: &[u8]) -> String {
    let short = beginning(part, body, FEW);
    if body.len() <= FEW || short.chars().nth(CHARACTERS - 1).is_some() { short } else { beginning(part, body, MOST) }
}

fn beginning(part: &Part, body: &[u8], length: usize) -> String {
    let whole = body.len() <= length;
    let text = text_of(part, body.get(..length).unwrap_or(body));
    // The last character may have been cut in two.
    let text = if whole { &*text } else { text.trim_end_matches('\u{fffd}') };
    if part.subtype != "html" {
        return folded(text);
    }
    let mut stripped = String::new();
    strip_tags(text, CHARACTERS * 8, &mut stripped);
    folded(&stripped)
}

/// Nothing that has a file name or calls itself an attachment is what the sender wrote to be read.
fn first_text<'p>(part: &'p Part, subtype: &str) -> Option<&'p Part> {
    if part.is_text() && part.subtype == subtype && !is_attachment(part) {
        return Some(part);
    }
    let inside: &[Part] = if part.message.is_some() { &[] } else { &part.children };
    inside.iter().find_map(|child| first_text(child, subtype))
}

fn folded(text: &str) -> String {
    let mut out = String::with_capacity(CHARACTERS + 8);
    let (mut count, mut gap) = (0, false);
    for character in text.chars() {
        let plain = character.is_ascii_graphic();
        if !plain && (character.is_whitespace() || character.is_control()) {
            gap = count > 0;
        } else if plain || !is_invisible(character) {
            let more = if gap { 2 } else { 1 };
            if count + more > CHARACTERS {
                break;
            }
            if gap {
                out.push(' ');
            }
            out.push(character);
            (count, gap) = (count + more, false);
        }
    }
    out
}

/// Mailings are padded with these, so that nothing else of them is in the preview.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// A text that has a file name or says that it is an attachment.
fn is_attachment(part: &Part) -> bool {
    match &part.disposition {
        Some((kind, _)) if kind == "inline" => false,
        Some((kind, _)) if kind == "attachment" => true,
        _ => ["name", "name*", "name*0", "name*0*"].iter().any(|name| part.param(name).is_some()),
    }
}

/// Whether somebody who reads the message would say that something is attached. Images that the HTML names by their
/// Content-ID, signatures and the alternatives of a text (an invitation's text/calendar has a name) are not.
pub(super) fn has_attachment(root: &Part) -> bool {
    attached_below(root, "")
}

fn attached_below(part: &Part, inside: &str) -> bool {
    if part.is_multipart() {
        return part.children.iter().any(|child| attached_below(child, &part.subtype));
    }
    let says_so = part.disposition.as_ref().is_some_and(|(kind, _)| kind == "attachment");
    if part.is_text() || inside == "alternative" {
        return says_so || (inside != "alternative" && is_attachment(part));
    }
    let machinery = part.subtype.ends_with("-signature") || part.subtype == "delivery-status" || inside == "encrypted";
    !machinery && (says_so || inside != "related" || part.id.is_none())
}
