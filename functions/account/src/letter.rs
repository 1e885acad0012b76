//! Messages of the service itself: a code, a way to a new password. Plain text, and nothing in it that anybody could be led
//! astray by.

use crate::Accounts;
use aws_lc_rs::digest;
use penfold_rest::{Problem, When};
use penfold_transport::outbound::OwnMail;
use penfold_types::{AcceptanceId, Address, Domain, Error, Result, TenantId};

pub(crate) struct Letter<'a> {
    /// In whose domain the sender is, and with whose keys it is signed.
    pub tenant: TenantId,
    pub from: Address,
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
        let domain = from.domain();
        let body = text.replace('\n', "\r\n");
        let message = format!(
            "Date: {date}\r\nFrom: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{acceptance}@{domain}>\r\nAuto-Submitted: auto-generated\r\n\
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
