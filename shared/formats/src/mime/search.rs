//! Substring search for SEARCH (RFC 9051 §6.4.4): i;ascii-casemap (RFC 4790 §9.2) where the needle is ASCII, Unicode
//! lower case where it is not. Always linear: the haystack is folded block by block and searched by memmem.

use memchr::memmem::Finder;
use memchr::memrchr;

use super::fields::line_length;
use super::summary::Part;
use super::text::text_of;
use super::word::decode_header;

/// Folded at once, on the stack.
const BLOCK: usize = 4096;
const VALUE: usize = 256;
/// Needles up to this are searched block by block; longer ones in a folded copy.
const SHORT: usize = 512;

/// What is searched for, folded once and used on many texts.
#[derive(Debug, Clone)]
pub struct Needle {
    finder: Finder<'static>,
    /// Has letters, so that case matters at all.
    letters: bool,
    ascii: bool,
}

/// Whether `haystack` has the needle, which is folded already: lower case, as `Needle::new` makes it.
pub fn contains_folded(haystack: &[u8], needle_folded: &str) -> bool {
    Needle::of_folded(needle_folded).is_in(haystack)
}

/// SEARCH BODY: the needle is in the decoded text of a text part, also in those of embedded messages.
pub fn body_contains(root: &Part, message: &[u8], needle: &Needle) -> bool {
    if root.is_text() {
        return needle.is_in(text_of(root, root.body_of(message)).as_bytes());
    }
    root.children.iter().any(|child| body_contains(child, message, needle))
}

/// SEARCH TEXT: the needle is in a header, MIME headers and those of embedded messages too, or in a text part.
pub fn text_contains(root: &Part, message: &[u8], needle: &Needle) -> bool {
    header_contains(root, message, needle) || body_contains(root, message, needle)
}

fn header_contains(part: &Part, message: &[u8], needle: &Needle) -> bool {
    let header = part.header_of(message);
    needle.is_in(header) || words_contain(header, needle) || part.children.iter().any(|child| header_contains(child, message, needle))
}

/// Looks into the fields that have encoded words, decoded. Most fields have none, so they are not even split.
fn words_contain(header: &[u8], needle: &Needle) -> bool {
    let words = Finder::new("=?");
    let mut rest = header;
    while let Some(found) = words.find(rest) {
        let (start, end) = field_around(rest, found);
        if needle.is_in(decode_header(rest.get(start..end).unwrap_or_default()).as_bytes()) {
            return true;
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    false
}

/// The field, folds and all, that has the byte at `place`.
fn field_around(header: &[u8], place: usize) -> (usize, usize) {
    let is_fold = |at: usize| matches!(header.get(at), Some(b' ' | b'\t'));
    let line_at = |place: usize| memrchr(b'\n', header.get(..place).unwrap_or_default()).map_or(0, |at| at + 1);
    let mut start = line_at(place);
    while start > 0 && is_fold(start) {
        start = line_at(start - 1);
    }
    let mut end = place;
    loop {
        end += line_length(header.get(end..).unwrap_or_default());
        if !is_fold(end) {
            return (start, end);
        }
    }
}

impl Needle {
    pub fn new(text: &str) -> Self {
        let mut folded = String::with_capacity(text.len());
        fold_str(text, &mut folded);
        Self::of_folded(&folded)
    }

    fn of_folded(folded: &str) -> Self {
        let letters = folded.bytes().any(|byte| byte.is_ascii_alphabetic());
        Self { finder: Finder::new(folded.as_bytes()).into_owned(), letters, ascii: folded.is_ascii() }
    }

    /// The needle as it is searched for.
    pub fn folded(&self) -> &[u8] {
        self.finder.needle()
    }

    /// Whether `haystack` has it, whatever the case. Bytes that are no UTF-8 match only themselves.
    pub fn is_in(&self, haystack: &[u8]) -> bool {
        if self.ascii { self.is_in_ascii(haystack) } else { self.is_in_unicode(haystack) }
    }

    fn is_in_ascii(&self, haystack: &[u8]) -> bool {
        let length = self.folded().len();
        if !self.letters {
            return self.finder.find(haystack).is_some();
        }
        if length > SHORT {
            return self.finder.find(&haystack.to_ascii_lowercase()).is_some();
        }
        // A header value is much shorter than a block, and a block has to be cleared first.
        if haystack.len() <= VALUE { self.is_in_blocks::<VALUE>(haystack) } else { self.is_in_blocks::<BLOCK>(haystack) }
    }

    fn is_in_blocks<const SIZE: usize>(&self, haystack: &[u8]) -> bool {
        let length = self.folded().len();
        let mut block = [0_u8; SIZE];
        let mut rest = haystack;
        while rest.len() >= length {
            let taken = rest.get(..SIZE).unwrap_or(rest);
            for (to, from) in block.iter_mut().zip(taken) {
                *to = from.to_ascii_lowercase();
            }
            if self.finder.find(block.get(..taken.len()).unwrap_or_default()).is_some() {
                return true;
            }
            if taken.len() == rest.len() {
                break;
            }
            // What begins at the end of a block is found in the next one.
            rest = rest.get(SIZE + 1 - length..).unwrap_or_default();
        }
        false
    }

    fn is_in_unicode(&self, haystack: &[u8]) -> bool {
        // No ASCII text has it, and most text is ASCII.
        if haystack.len() < self.folded().len().min(2) || haystack.is_ascii() {
            return false;
        }
        let mut folded = String::with_capacity(haystack.len() + 16);
        for chunk in haystack.utf8_chunks() {
            fold_str(chunk.valid(), &mut folded);
            if !chunk.invalid().is_empty() {
                if self.finder.find(folded.as_bytes()).is_some() {
                    return true;
                }
                folded.clear();
            }
        }
        self.finder.find(folded.as_bytes()).is_some()
    }
}

/// Lower case, character by character, so that a part of a text folds to a part of the folded text. The final sigma of
/// Greek is any sigma.
fn fold_str(text: &str, into: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        let ascii = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        let (plain, other) = rest.split_at(ascii);
        let from = into.len();
        into.push_str(plain);
        if let Some(added) = into.get_mut(from..) {
            added.make_ascii_lowercase();
        }
        let mut characters = other.chars();
        while let Some(character) = characters.clone().next().filter(|character| !character.is_ascii()) {
            characters.next();
            fold_char(character, into);
        }
        rest = characters.as_str();
    }
}

fn fold_char(character: char, into: &mut String) {
    match u32::from(character) {
        0x3c2 => into.push('\u{3c3}'),
        // The blocks that mail is full of, without the search in the standard library's table.
        0xdf..=0xff | 0x3b1..=0x3c9 | 0x430..=0x45f | 0x3040..=0x9fff | 0xac00..=0xd7a3 => into.push(character),
        code @ 0x410..=0x42f => into.extend(char::from_u32(code + 0x20)),
        _ => into.extend(character.to_lowercase()),
    }
}
