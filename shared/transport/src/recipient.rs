//! The answer to a recipient, before any of the message has come.

use crate::{Refusal, Transport};
use penfold_directory::{Recipient, SignedIn, TenantStatus};
use penfold_mailbox::Status;
use penfold_ports::Account;
use penfold_reports::Received;
use penfold_types::{Address, Error, PrincipalId, Result, TenantId};
use std::collections::HashMap;
use std::net::IpAddr;
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

    /// Nobody of a tenant.
    pub(crate) fn is_outside_of(&self, tenant: TenantId) -> bool {
        matches!(self, Self::Outside(..)) || self.tenant() != tenant
    }

    /// Within the tenant, whose turn it takes.
    pub(crate) fn account(&self) -> Account {
        match self {
            Self::Mailbox(account) => *account,
            Self::Group(tenant, group) => Account { tenant: *tenant, principal: *group },
            Self::Reports(tenant) | Self::Outside(tenant, _) => Account { tenant: *tenant, principal: NOBODY },
        }
    }
}

/// In place of a principal, for what is for the tenant as a whole.
const NOBODY: PrincipalId = PrincipalId::from_bytes([0; 16]);

/// Accounts that had plenty of room a moment ago, until when to believe it.
#[derive(Default)]
pub(crate) struct Room(HashMap<Account, tokio::time::Instant>);

const BELIEVED: Duration = Duration::from_secs(10);
const ROOM_LIMIT: usize = 100_000;

impl Transport {
    /// Whether mail from `from` (`None`: the null reverse-path) may go to `to`, and to whom that is. Only who signed in may
    /// send elsewhere.
    pub async fn recipient(&self, submitter: Option<&SignedIn>, from: Option<&Address>, to: &Address) -> Result<Target, Refusal> {
        let settings = &self.0.settings;
        let ours = to.domain().as_str().eq_ignore_ascii_case(&settings.hostname);
        // `<postmaster>` without a domain comes here as one of our name.
        let to = settings.postmaster.as_ref().filter(|_| ours && to.local().eq_ignore_ascii_case("postmaster")).unwrap_or(to);
        let target = match self.0.directory.resolve(to).await? {
            Recipient::Mailbox(account) => Target::Mailbox(account),
            Recipient::Group(tenant, group) => Target::Group(tenant, group),
            Recipient::Reports(tenant) => Target::Reports(tenant),
            Recipient::Unknown => return Err(Refusal::Unknown),
            // Our own name leads nowhere else.
            Recipient::Outside if ours => return Err(Refusal::Unknown),
            Recipient::Outside => match submitter {
                Some(submitter) if self.0.settings.sends => Target::Outside(submitter.scope.tenant(), to.clone()),
                _ => return Err(Refusal::Outside),
            },
        };
        self.may_receive(target.tenant()).await?;
        if let Some(submitter) = submitter {
            self.may_receive(submitter.scope.tenant()).await?;
        }
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

    /// What is for a suspended tenant, and what is from it, stays with who sent it; a closed one has no addresses any more.
    async fn may_receive(&self, tenant: TenantId) -> Result<(), Refusal> {
        match self.0.directory.tenant_status(tenant).await? {
            TenantStatus::Trial | TenantStatus::Active => Ok(()),
            TenantStatus::Suspended => Err(Error::retry("the organisation is suspended").into()),
            TenantStatus::Closed | TenantStatus::Deleting => Err(Refusal::Unknown),
        }
    }

    /// Notes in the trace that a recipient was refused, for the administrator of the domain.
    pub async fn turned_away(&self, from: Option<&Address>, to: &Address, peer: IpAddr, refusal: &Refusal) {
        let theirs = matches!(refusal, Refusal::Unknown | Refusal::OverQuota | Refusal::MayNotPost);
        if theirs && let Ok(Some(tenant)) = self.0.directory.domain_tenant(to.domain()).await {
            let from = from.map(Address::to_string).unwrap_or_default();
            self.0.tracer.note_turned(tenant, &from, &to.to_string(), &peer.to_string(), refusal.why());
        }
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
