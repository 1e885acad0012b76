//! The answer to a recipient, before any of the message has come.

use crate::{Refusal, Transport};
use penfold_directory::{Recipient, SignedIn};
use penfold_mailbox::Status;
use penfold_ports::Account;
use penfold_reports::Received;
use penfold_types::{Address, Error, PrincipalId, Result, TenantId};
use std::collections::HashMap;
use std::time::Duration;

/// Who gets the message.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    Mailbox(Account),
    Group(TenantId, PrincipalId),
    /// Reports about the tenant's mail.
    Reports(TenantId),
    /// Elsewhere; sent on behalf of this tenant.
    Outside(TenantId, Address),
}

impl Target {
    pub fn tenant(&self) -> TenantId {
        match self {
            Self::Mailbox(account) => account.tenant,
            Self::Group(tenant, _) | Self::Reports(tenant) | Self::Outside(tenant, _) => *tenant,
        }
    }
}

/// Accounts that had plenty of room a moment ago, until when to believe it.
#[derive(Default)]
pub(crate) struct Room(HashMap<Account, tokio::time::Instant>);

const BELIEVED: Duration = Duration::from_secs(10);
const ROOM_LIMIT: usize = 100_000;

impl Transport {
    /// Whether mail from `from` (`None`: the null reverse-path) may go to `to`, and to whom that is. Only who signed in may
    /// send elsewhere.
    pub async fn recipient(&self, submitter: Option<&SignedIn>, from: Option<&Address>, to: &Address) -> Result<Target, Refusal> {
        let target = match self.0.directory.resolve(to).await? {
            Recipient::Mailbox(account) => Target::Mailbox(account),
            Recipient::Group(tenant, group) => Target::Group(tenant, group),
            Recipient::Reports(tenant) => Target::Reports(tenant),
            Recipient::Unknown => return Err(Refusal::Unknown),
            // Our own name leads nowhere else; `<postmaster>` is asked for under it.
            Recipient::Outside if to.domain().as_str().eq_ignore_ascii_case(&self.0.settings.hostname) => return Err(Refusal::Unknown),
            Recipient::Outside => match submitter {
                Some(submitter) if self.0.settings.sends => Target::Outside(submitter.scope.tenant(), to.clone()),
                _ => return Err(Refusal::Outside),
            },
        };
        self.0.has_share(target.tenant()).await?;
        let admitted = match target {
            Target::Mailbox(account) if self.has_room(account).await? => true,
            Target::Mailbox(_) => return Err(Refusal::OverQuota),
            Target::Group(tenant, group) => self.0.directory.may_post(tenant, group, from).await?,
            // A stranger must not fill the store.
            Target::Reports(tenant) if self.takes_reports(tenant).await? => true,
            Target::Reports(_) => return Err(Refusal::OverQuota),
            Target::Outside(..) => true,
        };
        if admitted { Ok(target) } else { Err(Refusal::MayNotPost) }
    }

    async fn takes_reports(&self, tenant: TenantId) -> Result<bool, Refusal> {
        Ok(Received::has_room(&self.0.world, &self.0.directory.tenant_scope(tenant)).await?)
    }

    /// What was answered yes is always delivered, so a mailbox may end a little above its quota.
    async fn has_room(&self, account: Account) -> Result<bool, Refusal> {
        let now = self.0.world.env.monotonic();
        if self.0.room.lock().0.get(&account).is_some_and(|until| *until > now) {
            return Ok(true);
        }
        let scope = self.0.directory.job_scope(account);
        let head = self.0.mailboxes.open(&scope).await?.head().await?;
        if head.status != Status::Active {
            // Frozen for a move, or parked: the sender keeps it and comes again.
            return Err(Error::retry("the mailbox cannot be written to now").into());
        }
        let (used, quota) = (head.used, self.0.directory.quota(account).await?);
        if used < quota / 10 * 9 {
            let mut room = self.0.room.lock();
            if room.0.len() >= ROOM_LIMIT {
                room.0.clear();
            }
            room.0.insert(account, now + BELIEVED);
        }
        Ok(used < quota)
    }
}
