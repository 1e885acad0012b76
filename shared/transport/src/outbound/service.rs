//! What the service itself sends: reports to other domains, in the name of the tenant in whose domain their sender is.

use super::submission::{Addressee, Envelope, Submission};
use crate::job::Mail;
use crate::{Refusal, Target, Transport, header};
use bytes::Bytes;
use penfold_formats::mime;
use penfold_ports::Notify;
use penfold_types::{AcceptanceId, Address, Error, Kind, Result, TenantId, Timestamp};
use std::collections::BTreeSet;

/// A message of the service's own. It leaves with the null reverse-path: about it nobody is told, and nothing answers it.
#[derive(Clone, Debug)]
pub struct OwnMail {
    /// From is in a domain of theirs, and is signed with its keys.
    pub tenant: TenantId,
    /// Handing the same one in twice is handing it in once.
    pub acceptance: AcceptanceId,
    pub message: Bytes,
    pub to: Vec<Address>,
    pub at: Timestamp,
}

impl Transport {
    /// Durable when it returns. Gives back who it goes to: those who are here and may not be written to are left out.
    pub async fn send_own(&self, own: &OwnMail) -> Result<Vec<Address>> {
        let (mut recipients, mut taken) = (Vec::with_capacity(own.to.len()), Vec::with_capacity(own.to.len()));
        for address in &own.to {
            let target = match self.recipient(None, None, address).await {
                Ok(target) => target,
                Err(Refusal::Outside) => Target::Outside(own.tenant, address.clone()),
                Err(Refusal::Later(error)) if error.kind() == Kind::Retry => return Err(error),
                Err(Refusal::Busy) => return Err(Error::retry("there is too much to do")),
                Err(_) => continue,
            };
            recipients.push(Addressee { target, path: address.to_string(), notify: Some(Notify::NEVER), original: None });
            taken.push(address.clone());
        }
        if recipients.is_empty() {
            return Ok(taken);
        }
        let tenants: BTreeSet<TenantId> = recipients.iter().map(|one| one.target.tenant()).chain([own.tenant]).collect();
        for tenant in tenants {
            self.0.mailboxes.put_blob(tenant, own.acceptance, vec![own.message.clone()]).await?;
        }
        let mail = Mail {
            tenant: own.tenant,
            acceptance: own.acceptance,
            length: own.message.len() as u64,
            received: own.at,
            prefix: Bytes::from_static(b"Return-Path: <>\r\n"),
            summary: mime::summarise(&own.message).encode().into(),
            from: None,
            junk: false,
            submitted: true,
        };
        let tls_optional = header::read(&own.message, &self.0.settings.hostname).tls_optional;
        let envelope = Envelope { tls_optional, ..Envelope::default() };
        let submission = Submission { mail, by: None, from: String::new(), envelope, recipients, first_part: 0, copy: None };
        self.hand_over(&submission).await?;
        Ok(taken)
    }
}
