//! A report in a message: RFC 9990 §3.5.2 and RFC 8460 §5.3 say how it is sent, and what comes in is looked for wherever it may stand.

use crate::bounds::XML;
use crate::{Kind, Unreadable, dmarc, time, tls, unpack};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use penfold_formats::mime::{self, Part};
use penfold_types::Address;
use std::fmt::Write;

/// Parts that are looked into: each may unpack to the largest report there may be.
const TRIES: usize = 4;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    Dmarc(Box<dmarc::Feedback>),
    Tls(tls::Report),
}

/// The report in a message; of several the first.
pub fn find(message: &[u8]) -> Result<Found, Unreadable> {
    let summary = mime::summarise(message);
    let mut parts = Vec::new();
    leaves(&summary.root, &mut parts);
    let mut why = Unreadable::NoReport;
    for part in parts.into_iter().filter(|part| may_be_one(part)).take(TRIES) {
        match read(&mime::decode_body(part, part.body_of(message))) {
            Ok(found) => return Ok(found),
            Err(error) => why = error,
        }
    }
    Err(why)
}

fn leaves<'a>(part: &'a Part, out: &mut Vec<&'a Part>) {
    if part.children.is_empty() {
        out.push(part);
    }
    part.children.iter().for_each(|child| leaves(child, out));
}

/// By its media type or its name: reporters agree on neither.
fn may_be_one(part: &Part) -> bool {
    let name = part.filename().unwrap_or_default().to_ascii_lowercase();
    ["gzip", "zip", "xml", "json"].iter().any(|word| part.subtype.contains(word))
        || [".gz", ".zip", ".xml", ".json"].iter().any(|end| name.ends_with(end))
}

fn read(packed: &[u8]) -> Result<Found, Unreadable> {
    let report = unpack(packed, XML)?;
    match report.trim_ascii_start().strip_prefix(b"\xef\xbb\xbf").unwrap_or(report.trim_ascii_start()).first() {
        Some(b'{') => tls::read(&report).map(Found::Tls),
        Some(b'<' | 0xfe | 0xff) => dmarc::read(&report).map(Box::new).map(Found::Dmarc),
        _ => Err(Unreadable::NoReport),
    }
}

/// A report as it goes out.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    pub kind: Kind,
    pub from: &'a Address,
    pub to: &'a [Address],
    /// Whom it is about.
    pub domain: &'a str,
    /// Without angle brackets.
    pub report_id: &'a str,
    /// Seconds since 1970: the time it is about, its end included, and its own date.
    pub begin: i64,
    pub end: i64,
    pub at: i64,
    /// Packed by [`crate::gzip`].
    pub report: &'a [u8],
}

impl Letter<'_> {
    /// The same bytes for the same report.
    pub fn write(&self) -> Bytes {
        let submitter = self.from.domain();
        let (what, media_type, extension) = match self.kind {
            Kind::Dmarc => ("an aggregate report by DMARC (RFC 9990)", "application/gzip", "xml.gz"),
            Kind::Tls => ("a report about TLS (RFC 8460)", "application/tlsrpt+gzip", "json.gz"),
        };
        let boundary = format!("=_{}", self.report_id.split('@').next().unwrap_or_default());
        let mut out = String::with_capacity(2048 + self.report.len() / 3 * 4);
        let to: Vec<String> = self.to.iter().map(|address| format!("<{address}>")).collect();
        let _ = write!(out, "From: Mail reports <{}>\r\nTo: {}\r\nDate: {}\r\n", self.from, to.join(",\r\n "), time::write_mail(self.at));
        let _ = write!(out, "Message-ID: <{}>\r\n", self.report_id);
        let _ = write!(out, "Subject: Report Domain: {}\r\n Submitter: {submitter}\r\n Report-ID: <{}>\r\n", self.domain, self.report_id);
        if self.kind == Kind::Tls {
            // RFC 8460 §5.3. Whose TLS is broken is to hear of it all the same (RFC 8689 §5).
            let _ = write!(out, "TLS-Report-Domain: {}\r\nTLS-Report-Submitter: {submitter}\r\nTLS-Required: No\r\n", self.domain);
        }
        let kind = match self.kind {
            Kind::Dmarc => "multipart/mixed",
            Kind::Tls => "multipart/report; report-type=\"tlsrpt\"",
        };
        let _ = write!(
            out,
            "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: {kind};\r\n boundary=\"{boundary}\"\r\n\r\n\
             --{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
             This is {what}\r\nof {submitter} about {},\r\nfrom {} to {}. No person wrote it.\r\n\r\n",
            self.domain,
            time::write(self.begin),
            time::write(self.end),
        );
        let name = format!("{submitter}!{}!{}!{}.{extension}", self.domain, self.begin, self.end);
        let _ = write!(
            out,
            "--{boundary}\r\nContent-Type: {media_type};\r\n name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment;\r\n filename=\"{name}\"\r\n\r\n"
        );
        let encoded = STANDARD.encode(self.report);
        for line in encoded.as_bytes().chunks(76) {
            out.push_str(std::str::from_utf8(line).unwrap_or_default());
            out.push_str("\r\n");
        }
        let _ = write!(out, "\r\n--{boundary}--\r\n");
        out.into()
    }
}
