//! The Authentication-Results field (RFC 8601 §2.2).

use crate::arc::ArcResult;
use crate::dkim::Dkim;
use crate::dmarc::{Author, DmarcResult};
use crate::folded::Folded;
use crate::verify::Verdicts;
use std::borrow::Cow;

impl Verdicts {
    /// One field with its last line break, to be put in front of the message.
    pub fn authentication_results(&self, authserv_id: &str) -> String {
        let mut field = Folded::new(&format!("Authentication-Results: {}", value(authserv_id)));
        self.reverse(&mut field);
        for (spf, property) in [(&self.mail_from, "mailfrom"), (&self.helo, "helo")] {
            if !spf.domain.is_empty() {
                begin(&mut field, &format!("spf={}", spf.result.keyword()));
                field.word(&format!(" smtp.{property}={}", value(&spf.domain)));
            }
        }
        if self.dkim.is_empty() {
            begin(&mut field, "dkim=none");
        }
        self.dkim.iter().for_each(|dkim| signature(dkim, &mut field));
        self.chain(&mut field);
        self.author(&mut field);
        field.text.push_str("\r\n");
        field.text
    }

    fn reverse(&self, field: &mut Folded) {
        begin(field, &format!("iprev={}", self.iprev.result.keyword()));
        field.word(&format!(" policy.iprev={}", value(&self.peer.to_canonical().to_string())));
        if let Some(name) = &self.iprev.name {
            field.word(&format!(" ({})", comment(name)));
        }
    }

    fn chain(&self, field: &mut Folded) {
        if self.arc.result == ArcResult::None {
            return;
        }
        begin(field, &format!("arc={}", self.arc.result.keyword()));
        if let Some((domain, _)) = self.arc.sealers.last() {
            field.word(&format!(" (i={} d={domain})", self.arc.sealers.len()));
        }
        reason(self.arc.reason, field);
        field.word(&format!(" smtp.remote-ip={}", value(&self.peer.to_canonical().to_string())));
    }

    fn author(&self, field: &mut Folded) {
        let dmarc = &self.dmarc;
        begin(field, &format!("dmarc={}", dmarc.result.keyword()));
        match &dmarc.author {
            Author::Nobody => reason(Some("there is no author"), field),
            Author::Several => reason(Some("there are authors of several domains"), field),
            Author::Domain(domain) => field.word(&format!(" header.from={domain}")),
        }
        if dmarc.published.is_some() && dmarc.result != DmarcResult::None {
            field.word(&format!(" policy.dmarc={}", dmarc.policy.keyword()));
        }
    }
}

fn signature(dkim: &Dkim, field: &mut Folded) {
    begin(field, &format!("dkim={}", dkim.result.keyword()));
    if dkim.bits > 0 {
        field.word(&format!(" ({}-bit key)", dkim.bits));
    }
    reason(dkim.reason, field);
    if dkim.domain.is_empty() {
        return;
    }
    field.word(&format!(" header.d={}", dkim.domain));
    field.word(&format!(" header.s={}", value(&dkim.selector)));
    if let Some(algorithm) = dkim.algorithm {
        field.word(&format!(" header.a={}", algorithm.name()));
    }
    field.word(&format!(" header.b={}", value(&dkim.mark)));
}

fn begin(field: &mut Folded, result: &str) {
    field.text.push(';');
    field.line();
    field.word(result);
}

fn reason(reason: Option<&str>, field: &mut Folded) {
    if let Some(reason) = reason {
        field.word(&format!(" reason=\"{}\"", comment(reason)));
    }
}

/// A token (RFC 2045 §5.1) as it stands, anything else quoted. What a peer sent may hold anything.
fn value(text: &str) -> Cow<'_, str> {
    let token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte);
    if !text.is_empty() && text.len() <= 255 && text.bytes().all(token) {
        return text.into();
    }
    format!("\"{}\"", comment(text)).into()
}

/// Without what ends a comment or a quoted string.
fn comment(text: &str) -> String {
    let plain = |c: char| if matches!(c, ' '..='~') && !"()\\\"".contains(c) { c } else { '?' };
    text.chars().take(255).map(plain).collect()
}
