//! What a stranger's report may cost at most, beside the limit that every message has.

/// Bytes of a report once it is unpacked: the largest reporters send a tenth of this. What is larger is not read further.
pub const XML: usize = 32 << 20;
pub const JSON: usize = 8 << 20;
/// Records of a DMARC report, and signatures, SPF results and reasons in all of them.
pub const RECORDS: usize = 100_000;
pub const PIECES: usize = 300_000;
/// Policies of a TLS report, and failures in all of them.
pub const POLICIES: usize = 1_000;
pub const FAILURES: usize = 20_000;
/// Bytes of one text.
pub const TEXT: usize = 1_000;

/// As it may stand in a row, a log or on a terminal: one line without control characters, at most `limit` bytes.
pub fn tidy(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    for c in text.trim().chars() {
        let c = if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            ' '
        } else {
            c
        };
        if out.len() + c.len_utf8() > limit {
            break;
        }
        out.push(c);
    }
    out
}
