//! What a group has members elsewhere for.

use super::submission::{Addressee, Envelope, Submission};
use crate::job::{Mail, Walk};
use crate::plan::job_id;
use crate::{Target, Transport};
use penfold_directory::Recipient;
use penfold_ports::{Body, Notify};
use penfold_types::{Address, PrincipalId, Result};

/// Parcels that one step of a walk may make.
const STEP: u64 = 1024;

impl Transport {
    /// Hands a message in for members elsewhere that one step of a walk found. Doing it again adds nothing.
    pub async fn forward(&self, mail: &Mail, walk: &Walk, members: &[Address]) -> Result<()> {
        if members.is_empty() {
            return Ok(());
        }
        // Reports about a list's members are no business of a stranger, whose address may not even be their own.
        let notify = if self.is_of(mail).await? { None } else { Some(Notify::NEVER) };
        let recipients = members.iter().map(|member| Addressee {
            target: Target::Outside(mail.tenant, member.clone()),
            path: member.to_string(),
            notify,
            original: None,
        });
        let utf8 = members.iter().chain(&mail.from).any(|address| !address.to_string().is_ascii());
        let submission = Submission {
            mail: mail.clone(),
            by: None,
            from: mail.from.as_ref().map(Address::to_string).unwrap_or_default(),
            envelope: Envelope { body: Body::EightBit, utf8, ..Envelope::default() },
            recipients: recipients.collect(),
            first_part: first_part(walk.root, walk.step),
            copy: None,
        };
        let id = job_id(mail.acceptance, walk.root, walk.step.saturating_add(1));
        Ok(self.hand_over_as(id, &submission).await?)
    }

    /// Whether the sender is of the tenant itself.
    async fn is_of(&self, mail: &Mail) -> Result<bool> {
        let Some(from) = &mail.from else { return Ok(false) };
        Ok(match self.directory().resolve(from).await? {
            Recipient::Mailbox(account) => account.tenant == mail.tenant,
            Recipient::Group(tenant, _) => tenant == mail.tenant,
            Recipient::Reports(_) | Recipient::Unknown | Recipient::Outside => false,
        })
    }
}

/// Apart for every group that a message is sent to, and for every step of its walk: an id's last bytes are random.
fn first_part(root: PrincipalId, step: u64) -> u64 {
    let own = root.as_bytes().iter().rev().take(5).fold(0, |bits, byte| bits << 8 | u64::from(*byte));
    own << 24 | (step.saturating_add(1).saturating_mul(STEP) & 0xff_ffff)
}
