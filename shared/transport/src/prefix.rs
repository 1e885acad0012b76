//! Our fields in front of a message. They are part of the item, and the bytes behind them stay as they came.

use crate::accept::{Incoming, Origin};
use crate::date;
use bytes::Bytes;
use penfold_authentication::Verdicts;
use penfold_types::AcceptanceId;
use std::fmt::Write;
use std::net::IpAddr;

/// Return-Path and Received (RFC 5321 §4.4), and between them what was found of its authentication (RFC 8601 §4).
pub(crate) fn build(incoming: &Incoming, verdicts: Option<&Verdicts>, hostname: &str, acceptance: AcceptanceId) -> Bytes {
    let origin = &incoming.origin;
    let mut out = String::with_capacity(256);
    let _ = write!(out, "Return-Path: <{}>\r\n", incoming.from_text);
    if let Some(verdicts) = verdicts {
        out.push_str(&verdicts.authentication_results(hostname));
    }
    let _ = write!(out, "Received: from {} (", or_unknown(&origin.helo));
    literal(origin.peer, &mut out);
    let _ = write!(out, ")\r\n\tby {hostname} with {} id {acceptance}", keyword(origin));
    // With more than one recipient this would tell each of them about the others.
    if let [only] = incoming.recipients.as_slice() {
        let _ = write!(out, "\r\n\tfor <{}>", only.original);
    }
    out.push_str(";\r\n\t");
    date::write(incoming.received, &mut out);
    out.push_str("\r\n");
    Bytes::from(out)
}

/// Received of what leaves. Where a person sent it from is nobody else's business.
pub(crate) fn leaving(hostname: &str, acceptance: AcceptanceId, submitted: bool, at: penfold_types::Timestamp) -> Bytes {
    let keyword = if submitted { "ESMTPSA" } else { "ESMTPS" };
    let mut out = format!("Received: by {hostname} (Penfold) with {keyword} id {acceptance};\r\n\t");
    date::write(at, &mut out);
    out.push_str("\r\n");
    Bytes::from(out)
}

/// What [`build`] made, but for its first line.
pub(crate) fn without_return_path(prefix: &Bytes) -> Bytes {
    let first = memchr::memchr(b'\n', prefix).map_or(prefix.len(), |end| end + 1);
    prefix.slice(first..)
}

fn or_unknown(helo: &str) -> &str {
    if helo.is_empty() { "unknown" } else { helo }
}

/// RFC 5321 §4.1.3.
fn literal(peer: IpAddr, out: &mut String) {
    let _ = match peer.to_canonical() {
        IpAddr::V4(four) => write!(out, "[{four}]"),
        IpAddr::V6(six) => write!(out, "[IPv6:{six}]"),
    };
}

/// The protocol keywords of RFC 3848 and RFC 6531 §4.3.
fn keyword(origin: &Origin) -> &'static str {
    let signed_in = origin.submitter.is_some();
    match (origin.esmtp, origin.utf8, origin.tls, signed_in) {
        (false, ..) => "SMTP",
        (_, false, false, false) => "ESMTP",
        (_, false, false, true) => "ESMTPA",
        (_, false, true, false) => "ESMTPS",
        (_, false, true, true) => "ESMTPSA",
        (_, true, false, false) => "UTF8SMTP",
        (_, true, false, true) => "UTF8SMTPA",
        (_, true, true, false) => "UTF8SMTPS",
        (_, true, true, true) => "UTF8SMTPSA",
    }
}
