//! Delivery status notifications: RFC 3461 says who is told what, RFC 3464 and RFC 6522 how it is written.

use super::parcel::{Fate, Parcel};
use crate::date;
use bytes::Bytes;
use penfold_ports::{Notify, Return, Said};
use penfold_types::{AcceptanceId, Address};
use std::fmt::Write;

/// Of the message's header, so much comes back at most.
pub(super) const HEADER: usize = 64 * 1024;
/// Of the whole message.
const WHOLE: usize = 1024 * 1024;

/// RFC 3464 §2.3.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    Failed,
    Delayed,
    /// To a host that does not tell what becomes of it.
    Relayed,
}

impl Action {
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Relayed => "relayed",
        }
    }
}

/// What a parcel's sender is to be told now: of which passages, and what.
pub(super) struct Report(Vec<(usize, Action)>);

impl Report {
    pub fn of(parcel: &Parcel, late: bool) -> Self {
        // RFC 5321 §4.5.5: about a report nobody is told.
        if parcel.from.is_empty() {
            return Self(Vec::new());
        }
        let news = parcel.passages.iter().enumerate().filter_map(|(at, passage)| {
            let notify = passage.to.notify.unwrap_or_default();
            let timed = parcel.envelope.deliver_by.is_some() && notify != Notify::NEVER;
            let action = match &passage.fate {
                Fate::Failed(_) if notify.failure && !passage.told => Action::Failed,
                // RFC 2852 §4.3: also where the next host does not keep to its time.
                Fate::Sent(_) if (notify.success || timed) && !passage.told => Action::Relayed,
                Fate::Waiting(_) if late && notify.delay && !passage.told_late => Action::Delayed,
                _ => return None,
            };
            Some((at, action))
        });
        Self(news.collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn told(&self) -> impl Iterator<Item = (usize, Action)> + '_ {
        self.0.iter().copied()
    }

    fn has(&self, action: Action) -> bool {
        self.0.iter().any(|(_, own)| *own == action)
    }

    /// RFC 3461 §6.2: only of a failure, and only where it was asked for.
    pub fn returns_all(&self, parcel: &Parcel) -> bool {
        self.has(Action::Failed) && parcel.envelope.ret == Some(Return::Full)
    }
}

/// One line of ASCII.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

/// RFC 3464 §2.1.2, RFC 6533 §3.
fn typed(path: &str) -> String {
    if path.is_ascii() { format!("rfc822; {}", plain(path)) } else { format!("utf-8; {path}") }
}

fn said(fate: &Fate) -> Option<&Said> {
    match fate {
        Fate::Waiting(said) => said.as_ref(),
        Fate::Sent(said) | Fate::Failed(said) => Some(said),
    }
}

/// The report. `original`: the message or its header, as it comes back.
pub(super) fn write(report: &Report, parcel: &Parcel, sender: &Address, hostname: &str, id: AcceptanceId, original: &Bytes) -> Bytes {
    let utf8 = parcel.envelope.utf8 || !parcel.from.is_ascii() || parcel.passages.iter().any(|passage| !passage.to.path.is_ascii());
    let boundary = format!("=_{id}");
    let mut out = String::with_capacity(2048 + original.len());
    head(report, parcel, sender, hostname, id, &boundary, &mut out);
    text(report, parcel, hostname, &mut out);
    let status = if utf8 { "message/global-delivery-status" } else { "message/delivery-status" };
    let _ = write!(out, "\r\n--{boundary}\r\nContent-Type: {status}\r\n");
    if utf8 {
        out.push_str("Content-Transfer-Encoding: 8bit\r\n");
    }
    out.push_str("\r\n");
    fields(report, parcel, hostname, &mut out);
    let whole = report.returns_all(parcel) && original.len() <= WHOLE;
    let kind = match (whole, utf8) {
        (true, false) => "message/rfc822",
        (true, true) => "message/global",
        (false, false) => "text/rfc822-headers",
        (false, true) => "message/global-headers",
    };
    let _ = write!(out, "\r\n--{boundary}\r\nContent-Type: {kind}\r\n");
    if !original.is_ascii() {
        out.push_str("Content-Transfer-Encoding: 8bit\r\n");
    }
    out.push_str("\r\n");
    let mut bytes = out.into_bytes();
    bytes.extend_from_slice(match whole {
        true => original,
        false => header_of(original),
    });
    bytes.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    bytes.into()
}

/// Whole lines of a header.
fn header_of(original: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(original, b"\r\n\r\n").map_or(original.len(), |at| at + 2);
    let cut = end.min(HEADER);
    let line = memchr::memrchr(b'\n', original.get(..cut).unwrap_or_default()).map_or(0, |at| at + 1);
    original.get(..line).unwrap_or_default()
}

fn head(report: &Report, parcel: &Parcel, sender: &Address, hostname: &str, id: AcceptanceId, boundary: &str, out: &mut String) {
    let subject = match (report.has(Action::Failed), report.has(Action::Delayed)) {
        (true, _) => "Your message could not be delivered",
        (false, true) => "Your message is late",
        (false, false) => "Your message was handed over",
    };
    let _ = write!(out, "From: Mail delivery <postmaster@{hostname}>\r\nTo: <{sender}>\r\nSubject: {subject}\r\nDate: ");
    date::write(parcel.at, out);
    // RFC 3834 §5, so that nothing answers it by itself.
    let _ = write!(
        out,
        "\r\nMessage-ID: <{id}@{hostname}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    );
}

fn text(report: &Report, parcel: &Parcel, hostname: &str, out: &mut String) {
    for (action, words) in [
        (Action::Failed, "Your message was not delivered to:"),
        (
            Action::Delayed,
            "Your message has not been delivered yet, and nothing needs to be done: it is tried again for five days. It waits for:",
        ),
        (Action::Relayed, "Your message was handed over to a host that does not tell whether it was delivered, for:"),
    ] {
        if !report.has(action) {
            continue;
        }
        let _ = write!(out, "{words}\r\n\r\n");
        for (at, _) in report.told().filter(|(_, own)| *own == action) {
            let Some(passage) = parcel.passages.get(at) else { continue };
            let _ = write!(out, "  <{}>\r\n", passage.to.path);
            if let Some(said) = said(&passage.fate) {
                let _ = write!(out, "    {}\r\n", plain(&said.to_string()));
            }
        }
        out.push_str("\r\n");
    }
    let _ = write!(out, "This was written by {hostname}, not by a person.\r\n");
}

/// RFC 3464 §2.2 and §2.3.
fn fields(report: &Report, parcel: &Parcel, hostname: &str, out: &mut String) {
    if let Some(id) = &parcel.envelope.id {
        let _ = write!(out, "Original-Envelope-Id: {}\r\n", plain(&xtext(id)));
    }
    let _ = write!(out, "Reporting-MTA: dns; {hostname}\r\nArrival-Date: ");
    date::write(parcel.accepted, out);
    out.push_str("\r\n");
    for (at, action) in report.told() {
        let Some(passage) = parcel.passages.get(at) else { continue };
        out.push_str("\r\n");
        if let Some((kind, address)) = passage.to.original.as_ref().and_then(|original| original.split_once(';')) {
            let _ = write!(out, "Original-Recipient: {kind}; {}\r\n", plain(&xtext(address)));
        }
        let _ = write!(out, "Final-Recipient: {}\r\nAction: {}\r\n", typed(&passage.to.path), action.word());
        let (class, subject, detail) = said(&passage.fate).map_or((4, 0, 0), |said| said.status);
        let class = match action {
            Action::Failed => 5,
            Action::Delayed => 4,
            Action::Relayed => class,
        };
        let _ = write!(out, "Status: {class}.{subject}.{detail}\r\n");
        if let Some(said) = said(&passage.fate).filter(|said| said.host.is_some()) {
            let host = said.host.as_deref().unwrap_or_default();
            let _ = write!(out, "Remote-MTA: dns; {}\r\nDiagnostic-Code: smtp; {} {}\r\n", plain(host), said.code, plain(&said.text));
        }
        if action == Action::Delayed {
            out.push_str("Will-Retry-Until: ");
            date::write(parcel.expires, out);
            out.push_str("\r\n");
        }
    }
}

/// RFC 3461 §4: what stands behind xtext; bytes that are no text become question marks later.
fn xtext(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let code = others.get(..2).and_then(|two| std::str::from_utf8(two).ok()).and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, code) {
            (b'+', Some(byte)) => {
                bytes.push(byte);
                rest = others.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
