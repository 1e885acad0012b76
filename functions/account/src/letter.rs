//! Messages of the service itself: a code, a way to a new password. Plain text, and nothing in it that anybody could be led
//! astray by.

use crate::Accounts;
use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use penfold_rest::{Problem, When};
use penfold_transport::outbound::OwnMail;
use penfold_types::{AcceptanceId, Address, Domain, Error, Result, TenantId};

pub(crate) struct Letter<'a> {
    /// In whose domain the sender is, and with whose keys it is signed.
    pub tenant: TenantId,
    pub from: Address,
    /// What the sender is called: the organisation, where it says so.
    pub name: Option<String>,
    pub to: Address,
    pub subject: &'a str,
    pub text: String,
    /// What it is about: the same letter twice is one.
    pub about: &'a str,
}

impl Accounts {
    /// Durable when it returns.
    pub(crate) async fn send(&self, letter: &Letter<'_>) -> Result<()> {
        let now = self.world.env.now();
        let mut bits = [0; 16];
        let hash = digest::digest(&digest::SHA256, letter.about.as_bytes());
        for (to, from) in bits.iter_mut().zip(hash.as_ref()) {
            *to = *from;
        }
        let acceptance = AcceptanceId::shaped(now, bits);
        let date = penfold_transport::date(now);
        let Letter { from, to, subject, text, .. } = letter;
        let (domain, sender) = (from.domain(), mailbox(letter.name.as_deref(), from));
        let body = text.replace('\n', "\r\n");
        let message = format!(
            "Date: {date}\r\nFrom: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{acceptance}@{domain}>\r\nAuto-Submitted: auto-generated\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n"
        );
        let own = OwnMail { tenant: letter.tenant, acceptance, message: message.into(), to: vec![to.clone()], at: now };
        let taken = self.transport.send_own(&own).await?;
        if taken.is_empty() { Err(Error::invalid("no mail can be sent there")) } else { Ok(()) }
    }

    /// Until when something may be used, as people read it.
    pub(crate) fn until(&self, span: std::time::Duration) -> String {
        When(self.world.env.now().plus(span)).to_string().replace('T', " ").replace('Z', " UTC")
    }
}

/// A mailbox with a display name (RFC 5322 §3.4): as a quoted string or, where it is not ASCII, as encoded words (RFC 2047 §2).
fn mailbox(name: Option<&str>, address: &Address) -> String {
    /// Octets of one word: with what stands around them, less than 75 characters.
    const WORD: usize = 42;
    let Some(name) = name else { return address.to_string() };
    if name.is_ascii() {
        let quoted: String = name.chars().flat_map(|c| matches!(c, '"' | '\\').then_some('\\').into_iter().chain([c])).collect();
        return format!("\"{quoted}\" <{address}>");
    }
    let mut words = vec![String::new()];
    for c in name.chars() {
        match words.last_mut() {
            Some(last) if last.len() + c.len_utf8() <= WORD => last.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let words: Vec<_> = words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(word))).collect();
    format!("{}\r\n <{address}>", words.join("\r\n "))
}

impl Accounts {
    /// In whose name the service writes to those who belong to no tenant: an address in the domain of its own host, where that is
    /// a tenant's.
    pub(crate) async fn sender(&self) -> std::result::Result<(TenantId, Address), Problem> {
        let directory = &self.api.directory;
        let host = directory.service().await?.map(|service| service.host).unwrap_or_default();
        let mut rest = Some(host.as_str());
        while let Some(domain) = rest.and_then(|name| name.parse::<Domain>().ok()) {
            if let Some(tenant) = directory.domain_tenant(&domain).await?
                && let Ok(address) = format!("postmaster@{domain}").parse()
            {
                return Ok((tenant, address));
            }
            rest = rest.and_then(|name| name.split_once('.')).map(|(_, above)| above);
        }
        Err(Problem::field("/proof", "this service sends no codes; prove the domain by `dns`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_phrase_whatever_is_in_it() {
        let address = "postmaster@one.test".parse().unwrap();
        let of = |name: &str| mailbox(Some(name), &address);
        assert_eq!(mailbox(None, &address), "postmaster@one.test");
        assert_eq!(of("One, \"Inc\" <x>"), "\"One, \\\"Inc\\\" <x>\" <postmaster@one.test>");
        assert_eq!(of("Müller"), "=?utf-8?B?TcO8bGxlcg==?=\r\n <postmaster@one.test>");
        let long = of(&"ü".repeat(100));
        assert!(long.lines().all(|line| line.len() <= 76) && long.lines().count() == 6, "{long}");
    }
}
