//! XML to a report. A tokenizer that resolves nothing, a stack of names, and bounds on all that a stranger could make large:
//! there is no document type, hence no entity to expand. What is not known is skipped, for extensions may stand anywhere.

use super::{DkimResult, Evaluated, Feedback, Identifiers, Reason, Record, SpfResult};
use crate::Unreadable;
use crate::bounds::{PIECES, RECORDS, TEXT, XML, tidy};
use std::borrow::Cow;
use std::net::IpAddr;
use xmlparser::{ElementEnd, Token, Tokenizer};

/// Elements inside one another.
const DEPTH: usize = 16;
/// Signatures of one record (RFC 9990 §3.1.3), and other lists in it.
const SIGNATURES: usize = 100;
const LIST: usize = 10;

/// `bytes`: the XML in whatever encoding it says, at most [`XML`] of them.
pub fn read(bytes: &[u8]) -> Result<Feedback, Unreadable> {
    if bytes.len() > XML {
        return Err(Unreadable::TooLarge);
    }
    let text = text(bytes)?;
    let mut reader = Reader::default();
    for token in Tokenizer::from(text.as_ref()) {
        reader.token(token.map_err(|error| Unreadable::Xml(error.to_string()))?)?;
    }
    reader.finish()
}

/// UTF-8, or what the byte order mark or the declaration names.
fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    let head = bytes.get(..200).unwrap_or(bytes);
    let label =
        memfind(head, b"encoding=").and_then(|rest| rest.get(1..)).map(|rest| rest.split(|b| b"\"'".contains(b)).next().unwrap_or(rest));
    let encoding = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        // An ASCII declaration in a text of two octets each would be a lie.
        None => label.and_then(encoding_rs::Encoding::for_label).filter(|e| e.is_ascii_compatible()).unwrap_or(encoding_rs::UTF_8),
    };
    let (text, _, wrong) = encoding.decode(bytes);
    if wrong { Err(Unreadable::Encoding) } else { Ok(text) }
}

fn memfind<'a>(bytes: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let at = bytes.windows(word.len()).position(|window| window == word)?;
    bytes.get(at + word.len()..)
}

#[derive(Default)]
struct Reader<'a> {
    stack: Vec<&'a str>,
    /// Text of the element that is open, and whether there was one of the document's own name.
    text: String,
    seen: bool,
    done: bool,
    out: Feedback,
    record: Draft,
    dkim: DkimResult,
    spf: SpfResult,
    reason: Reason,
    pieces: usize,
}

/// A record as far as it was read.
#[derive(Default)]
struct Draft {
    source_ip: Option<IpAddr>,
    count: u64,
    evaluated: Evaluated,
    identifiers: Identifiers,
    dkim: Vec<DkimResult>,
    spf: Vec<SpfResult>,
}

impl<'a> Reader<'a> {
    fn token(&mut self, token: Token<'a>) -> Result<(), Unreadable> {
        match token {
            Token::ElementStart { local, .. } => self.open(local.as_str())?,
            Token::ElementEnd { end: ElementEnd::Empty, .. } => self.close()?,
            Token::ElementEnd { end: ElementEnd::Close(_, local), .. } => {
                if self.stack.last() != Some(&local.as_str()) {
                    return Err(Unreadable::Xml(format!("</{}> closes nothing", tidy(&local, 40))));
                }
                self.close()?;
            }
            Token::Text { text } => self.take(&resolved(text.as_str())?),
            Token::Cdata { text, .. } => self.take(text.as_str()),
            Token::DtdStart { .. } | Token::EmptyDtd { .. } | Token::EntityDeclaration { .. } => return Err(Unreadable::DocumentType),
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, name: &'a str) -> Result<(), Unreadable> {
        if self.stack.len() >= DEPTH || self.done {
            return Err(Unreadable::Xml("elements stand too deep or behind the end".to_owned()));
        }
        if self.stack.is_empty() {
            self.seen = name == "feedback";
            if !self.seen {
                return Err(Unreadable::NoReport);
            }
        }
        self.stack.push(name);
        self.text.clear();
        match self.stack.as_slice() {
            ["feedback", "record"] if self.out.records.len() >= RECORDS => return Err(Unreadable::TooMany),
            ["feedback", "record"] => self.record = Draft::default(),
            ["feedback", "record", "auth_results", "dkim"] => self.dkim = DkimResult::default(),
            ["feedback", "record", "auth_results", "spf"] => self.spf = SpfResult::default(),
            ["feedback", "record", "row", "policy_evaluated", "reason"] => self.reason = Reason::default(),
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, text: &str) {
        let room = TEXT.saturating_sub(self.text.len());
        let end = (0..=text.len().min(room)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.text.push_str(text.get(..end).unwrap_or_default());
    }

    fn close(&mut self) -> Result<(), Unreadable> {
        let value = tidy(&std::mem::take(&mut self.text), TEXT);
        let Some(own) = self.stack.pop() else { return Ok(()) };
        // Aside for as long as the value is put where it belongs.
        let stack = std::mem::take(&mut self.stack);
        match stack.as_slice() {
            [] => self.done = true,
            ["feedback"] if own == "record" => self.end_of_record()?,
            ["feedback", "report_metadata", rest @ ..] => self.metadata(rest, own, value),
            ["feedback", "policy_published"] => self.policy(own, value),
            ["feedback", "record", rest @ ..] => self.record(rest, own, value),
            _ => {}
        }
        self.stack = stack;
        Ok(())
    }

    fn metadata(&mut self, inside: &[&str], own: &str, value: String) {
        let out = &mut self.out.metadata;
        match (inside, own) {
            ([], "org_name") => out.org_name = value,
            ([], "email") => out.email = value,
            ([], "extra_contact_info") => out.extra_contact_info = Some(value),
            ([], "report_id") => out.report_id = value,
            ([], "generator") => out.generator = Some(value),
            ([], "error") if out.errors.len() < LIST && !value.is_empty() => out.errors.push(value),
            (["date_range"], "begin") => out.begin = value.parse().unwrap_or(0),
            (["date_range"], "end") => out.end = value.parse().unwrap_or(0),
            _ => {}
        }
    }

    fn policy(&mut self, own: &str, value: String) {
        let out = &mut self.out.policy;
        match own {
            "domain" => out.domain = value.trim_end_matches('.').to_ascii_lowercase(),
            "p" => out.p = word(value),
            _ if value.is_empty() => {}
            "discovery_method" => out.discovery_method = Some(word(value)),
            "sp" => out.sp = Some(word(value)),
            "np" => out.np = Some(word(value)),
            "fo" => out.fo = Some(word(value)),
            "adkim" => out.adkim = Some(word(value)),
            "aspf" => out.aspf = Some(word(value)),
            "testing" => out.testing = Some(word(value)),
            _ => {}
        }
    }

    fn record(&mut self, inside: &[&str], own: &str, value: String) {
        let some = || Some(value.clone()).filter(|value| !value.is_empty());
        match (inside, own) {
            (["row"], "source_ip") => self.record.source_ip = value.parse().ok(),
            (["row"], "count") => self.record.count = value.parse().unwrap_or(0),
            (["row", "policy_evaluated"], "disposition") => self.record.evaluated.disposition = word(value),
            (["row", "policy_evaluated"], "dkim") => self.record.evaluated.dkim = value.eq_ignore_ascii_case("pass"),
            (["row", "policy_evaluated"], "spf") => self.record.evaluated.spf = value.eq_ignore_ascii_case("pass"),
            (["row", "policy_evaluated", "reason"], "type") => self.reason.kind = word(value),
            (["row", "policy_evaluated", "reason"], "comment") => self.reason.comment = some(),
            (["row", "policy_evaluated"], "reason") => {
                let room = self.record.evaluated.reasons.len() < LIST && self.piece();
                if room && !self.reason.kind.is_empty() {
                    self.record.evaluated.reasons.push(std::mem::take(&mut self.reason));
                }
            }
            (["identifiers"], "header_from") => self.record.identifiers.header_from = value.to_ascii_lowercase(),
            (["identifiers"], "envelope_from") => self.record.identifiers.envelope_from = Some(value.to_ascii_lowercase()),
            (["identifiers"], "envelope_to") => self.record.identifiers.envelope_to = some(),
            (["auth_results", "dkim"], "domain") => self.dkim.domain = value.to_ascii_lowercase(),
            (["auth_results", "dkim"], "selector") => self.dkim.selector = value,
            (["auth_results", "dkim"], "result") => self.dkim.result = word(value),
            (["auth_results", "dkim"], "human_result") => self.dkim.human_result = some(),
            (["auth_results"], "dkim") => {
                let room = self.record.dkim.len() < SIGNATURES && self.piece();
                if room && !self.dkim.domain.is_empty() {
                    self.record.dkim.push(std::mem::take(&mut self.dkim));
                }
            }
            (["auth_results", "spf"], "domain") => self.spf.domain = value.to_ascii_lowercase(),
            (["auth_results", "spf"], "scope") => self.spf.scope = Some(word(value)),
            (["auth_results", "spf"], "result") => self.spf.result = word(value),
            (["auth_results", "spf"], "human_result") => self.spf.human_result = some(),
            (["auth_results"], "spf") => {
                let room = self.record.spf.len() < LIST && self.piece();
                if room && !self.spf.result.is_empty() {
                    self.record.spf.push(std::mem::take(&mut self.spf));
                }
            }
            _ => {}
        }
    }

    /// Whether one more part of a record may be kept.
    fn piece(&mut self) -> bool {
        self.pieces += 1;
        self.pieces <= PIECES
    }

    fn end_of_record(&mut self) -> Result<(), Unreadable> {
        let Draft { source_ip, count, evaluated, identifiers, dkim, spf } = std::mem::take(&mut self.record);
        let source_ip = source_ip.ok_or(Unreadable::Missing("source_ip"))?;
        self.out.records.push(Record { source_ip, count, evaluated, identifiers, dkim, spf });
        Ok(())
    }

    fn finish(self) -> Result<Feedback, Unreadable> {
        let out = self.out;
        let missing = |text: &str, name| if text.is_empty() { Err(Unreadable::Missing(name)) } else { Ok(()) };
        if !self.seen {
            return Err(Unreadable::NoReport);
        }
        if !self.done {
            return Err(Unreadable::Xml("it ends too early".to_owned()));
        }
        missing(&out.metadata.org_name, "org_name")?;
        missing(&out.metadata.report_id, "report_id")?;
        missing(&out.policy.domain, "domain")?;
        if out.metadata.end < out.metadata.begin || out.metadata.begin <= 0 {
            return Err(Unreadable::Missing("date_range"));
        }
        if out.records.is_empty() {
            return Err(Unreadable::Missing("record"));
        }
        Ok(out)
    }
}

/// A keyword.
fn word(text: String) -> String {
    tidy(&text.to_ascii_lowercase(), 40)
}

/// The entities of XML itself and character references; there can be no others.
fn resolved(text: &str) -> Result<Cow<'_, str>, Unreadable> {
    if !text.contains('&') {
        return Ok(Cow::Borrowed(text));
    }
    let wrong = || Unreadable::Xml("an entity is not known".to_owned());
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        let (name, behind) = behind.split_once(';').ok_or_else(wrong)?;
        let c = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => {
                let number = name.strip_prefix('#').ok_or_else(wrong)?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                code.ok().and_then(char::from_u32)
            }
        };
        out.push(c.ok_or_else(wrong)?);
        rest = behind;
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}
