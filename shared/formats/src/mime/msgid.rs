//! Msg-ids (RFC 5322 §3.6.4) for threads.

use memchr::memchr;

use super::bounds::REFERENCE_BYTES;

/// RFC 5322 §2.1.1: no line is longer, so no sound msg-id is. A cut one would name another message.
const MAX_ID: usize = 998;
const MAX_REFERENCES: usize = 20;
/// As much of References: as is looked at, from its end.
const MAX_FIELD: usize = 32 * 1024;

/// The msg-ids of a Message-ID, In-Reply-To or References value, with their angle brackets, in order. Phrases are passed
/// over, and so is an id that is empty, longer than a line, not UTF-8, or that has white space or control characters.
pub fn message_ids(value: &[u8]) -> Vec<String> {
    let mut ids = Vec::new();
    let mut rest = value;
    while let Some(start) = memchr(b'<', rest) {
        rest = rest.get(start + 1..).unwrap_or_default();
        let Some(end) = rest.iter().position(|byte| matches!(byte, b'<' | b'>')) else { break };
        let id = rest.get(..end).unwrap_or_default();
        if rest.get(end) == Some(&b'>')
            && (1..MAX_ID).contains(&id.len())
            && let Some(id) = id_text(id)
        {
            ids.push(format!("<{id}>"));
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    ids
}

/// Folds inside an id are an old generator's doing and no part of it.
fn id_text(id: &[u8]) -> Option<String> {
    let folded = id.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    let text = if folded { id.iter().copied().filter(|byte| !super::cursor::is_space(*byte)).collect() } else { id.to_vec() };
    let sound = !text.is_empty() && !text.iter().any(|byte| byte.is_ascii_control() || *byte == b' ');
    String::from_utf8(text).ok().filter(|_| sound)
}

/// References then In-Reply-To, each id once at its last place, the newest 20.
pub(super) fn references(references: &[u8], in_reply_to: &[u8]) -> Vec<String> {
    let mut all = message_ids(last_bytes(references));
    all.extend(message_ids(last_bytes(in_reply_to)));
    let mut kept: Vec<String> = Vec::new();
    let mut bytes = 0;
    for id in all.into_iter().rev() {
        if kept.len() == MAX_REFERENCES || bytes + id.len() + 2 > REFERENCE_BYTES {
            break;
        }
        if !kept.contains(&id) {
            bytes += id.len() + 2;
            kept.push(id);
        }
    }
    kept.reverse();
    kept
}

fn last_bytes(value: &[u8]) -> &[u8] {
    value.get(value.len().saturating_sub(MAX_FIELD)..).unwrap_or(value)
}
