//! The policy of MTA-STS: RFC 8461 §3.2.

/// `enforce` would keep mail away as long as one certificate is wrong; this one only brings reports.
pub(crate) const MODE: &str = "testing";
/// A week, in seconds.
const MAX_AGE: u32 = 604_800;

pub(crate) fn text(mx: &str, mode: &str) -> String {
    format!("version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: {MAX_AGE}\r\n")
}
