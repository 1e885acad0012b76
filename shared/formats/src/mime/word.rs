//! Encoded words in headers (RFC 2047).

use encoding_rs::Encoding;
use memchr::{memchr, memmem};

use super::fields::unfold;
use super::text::{charset, decode_charset, guess};
use super::transfer::{base64, codes};

/// A header value for display and search: unfolded, encoded words decoded, words that are broken left as they are.
/// Line breaks and NUL that come out of a word are spaces.
pub fn decode_header(raw: &[u8]) -> String {
    let value = unfold(raw);
    let text = if memmem::find(&value, b"=?").is_none() {
        match String::from_utf8(value) {
            Ok(text) => text,
            Err(error) => guess(error.as_bytes()).into_owned(),
        }
    } else {
        words(&value)
    };
    if text.contains(['\r', '\n', '\0']) { text.replace(['\r', '\n', '\0'], " ") } else { text }
}

/// Words of one charset that follow each other: a character may be split between them, whatever §5 says.
struct Run {
    charset: &'static Encoding,
    bytes: Vec<u8>,
}

impl Run {
    fn flush(run: &mut Option<Self>, out: &mut String) {
        if let Some(run) = run.take() {
            out.push_str(&decode_charset(run.charset, &run.bytes));
        }
    }
}

fn words(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    let mut run: Option<Run> = None;
    // `plain..at` has been passed and not written.
    let (mut plain, mut at) = (0, 0);
    while let Some(found) = memmem::find(value.get(at..).unwrap_or_default(), b"=?") {
        let start = at + found;
        let Some((word, length)) = encoded_word(value.get(start..).unwrap_or_default()) else {
            at = start + 2;
            continue;
        };
        let between = value.get(plain..start).unwrap_or_default();
        // §6.2: white space between two encoded words is not shown.
        let adjacent = run.is_some() && between.iter().all(u8::is_ascii_whitespace);
        if !adjacent {
            Run::flush(&mut run, &mut out);
            out.push_str(&guess(between));
        }
        match &mut run {
            Some(run) if run.charset == word.charset => run.bytes.extend_from_slice(&word.bytes),
            _ => {
                Run::flush(&mut run, &mut out);
                run = Some(word);
            }
        }
        (plain, at) = (start + length, start + length);
    }
    Run::flush(&mut run, &mut out);
    out.push_str(&guess(value.get(plain..).unwrap_or_default()));
    out
}

/// `=?charset[*language]?encoding?text?=` (§2, RFC 2231 §5) at the beginning, decoded, and its length.
fn encoded_word(bytes: &[u8]) -> Option<(Run, usize)> {
    let rest = bytes.get(2..)?;
    // No label of a charset is longer, so a failed attempt costs no more.
    let label_end = memchr(b'?', rest.get(..80).unwrap_or(rest))?;
    let label = rest.get(..label_end)?;
    let label = label.split(|byte| *byte == b'*').next().unwrap_or(label);
    let charset = word_charset(label)?;
    let [encoding, b'?', text @ ..] = rest.get(label_end + 1..)? else { return None };
    let text_end = memchr(b'?', text)?;
    if text.get(text_end + 1) != Some(&b'=') {
        return None;
    }
    let text = text.get(..text_end)?;
    let decoded = match encoding {
        b'B' | b'b' if text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')) => base64(text),
        b'Q' | b'q' => {
            let mut out = Vec::with_capacity(text.len());
            codes(text, true, &mut out);
            out
        }
        _ => return None,
    };
    Some((Run { charset, bytes: decoded }, 2 + label_end + 3 + text_end + 2))
}

/// US-ASCII is a fine label here; what is 8-bit under it is taken for Windows-1252.
fn word_charset(label: &[u8]) -> Option<&'static Encoding> {
    charset(label).or_else(|| Encoding::for_label(label).filter(|found| *found == encoding_rs::WINDOWS_1252))
}
