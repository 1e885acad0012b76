//! What people do with their subscriptions.

use crate::subscription::{Kept, Subscription};
use crate::wish::{Change, check_refresh, read_url};
use aws_lc_rs::digest;
use penfold_directory::{Directory, Operator};
use penfold_mailbox::Mailbox;
use penfold_ports::{Account, Job, Key, Query, QueueName, Retrying, Row, Sk, TenantScope, When, World, Write};
use penfold_transport::outbound::due;
use penfold_types::{CommitId, Error, FolderId, Kind as Why, PrincipalId, Result, TenantId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Between two fetches that somebody asks for.
const AGAIN: Duration = Duration::from_secs(60);

/// Cheap to clone.
#[derive(Clone)]
pub struct Subscriptions {
    pub(crate) world: World,
    pub(crate) directory: Directory,
}

/// The body of a job: whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub tenant: TenantId,
    pub principal: PrincipalId,
    pub folder: FolderId,
    pub turn: u64,
}

impl Subscriptions {
    pub fn new(world: &World, directory: &Directory) -> Self {
        Self { world: world.named("subscribe"), directory: directory.clone() }
    }

    pub(crate) fn table(&self) -> Retrying<'_> {
        Retrying(&self.world)
    }

    pub(crate) fn scope(&self, tenant: TenantId) -> TenantScope {
        self.directory.tenant_scope(tenant)
    }

    pub(crate) fn key(&self, account: Account, folder: FolderId) -> Key {
        self.scope(account.tenant).subscription(Sk::subscription(account.principal, folder))
    }

    /// The oldest folder first.
    pub async fn of(&self, account: Account) -> Result<Vec<Subscription>> {
        self.read_all(account.tenant, &Sk::subscriptions_of(account.principal)).await
    }

    /// All of a tenant.
    pub async fn all(&self, tenant: TenantId) -> Result<Vec<Subscription>> {
        self.read_all(tenant, &Sk::subscriptions()).await
    }

    async fn read_all(&self, tenant: TenantId, prefix: &Sk) -> Result<Vec<Subscription>> {
        let pk = self.scope(tenant).subscription(prefix.clone()).pk().clone();
        let mut found = Vec::new();
        for (sk, row) in self.table().query_all(&Query::prefix(pk, prefix)).await? {
            found.extend(self.read(tenant, &sk, &row).await?);
        }
        Ok(found)
    }

    pub(crate) async fn read(&self, tenant: TenantId, sk: &Sk, row: &Row) -> Result<Option<Subscription>> {
        let ids = sk.as_bytes().strip_prefix(b"s#").and_then(|ids| ids.split_at_checked(16));
        let Some((principal, folder)) = ids.and_then(|(one, other)| PrincipalId::from_slice(one).zip(FolderId::from_slice(other))) else {
            return Ok(None);
        };
        let sealed = row.bytes("s").ok_or_else(|| Error::broken("a subscription cannot be read"))?;
        let text = self.directory.open(tenant, &aad(sk), sealed).await?;
        let kept: Kept = serde_json::from_slice(&text).map_err(|error| Error::broken("a subscription cannot be read").because(error))?;
        Ok(Subscription::read(Account { tenant, principal }, folder, kept, row))
    }

    /// `NotFound` where it is none of this person's.
    pub async fn find(&self, account: Account, folder: FolderId) -> Result<Subscription> {
        let key = self.key(account, folder);
        let found = match self.table().get(&key).await? {
            Some(row) => self.read(account.tenant, key.sk(), &row).await?,
            None => None,
        };
        found.ok_or_else(|| Error::not_found("there is no such subscription"))
    }

    /// Another URL begins from nothing; whatever changes is fetched at once.
    pub async fn change(&self, operator: &Operator, mailbox: &Mailbox, one: &Subscription, change: &Change) -> Result<Subscription> {
        change.check().map_err(|(_, error)| error)?;
        if let Some(name) = &change.name
            && !operator.rehearses()
        {
            mailbox.set_properties(one.folder, "", (&[], &[]), Some(name)).await?;
        }
        if change.fetches() { self.restart(operator, one, change, "subscription.change").await } else { Ok(one.clone()) }
    }

    /// Fetches it now.
    pub async fn refresh(&self, operator: &Operator, one: &Subscription) -> Result<Subscription> {
        self.restart(operator, one, &Change::default(), "subscription.refresh").await
    }

    /// For how long nobody is to ask for it again.
    pub fn wait(&self, one: &Subscription) -> Option<Duration> {
        let since = self.world.env.now().since(one.asked?);
        AGAIN.checked_sub(since).filter(|left| !left.is_zero())
    }

    /// With what is changed. Where a worker writes down meanwhile how a fetch went, that is built upon.
    async fn restart(&self, operator: &Operator, one: &Subscription, change: &Change, act: &'static str) -> Result<Subscription> {
        let (tenant, target, folder) = (one.account.tenant, one.account.principal.to_string(), one.folder.to_string());
        let mut before = one.clone();
        for _ in 0..5 {
            let after = self.restarted(&before, change)?;
            let job = self.job(&after)?;
            let mut moved = after.clone();
            let writes = vec![self.moved(&before, &mut moved).await?, due(moved.due, QueueName::Subscribe, &job)];
            match operator.carry_out(tenant, writes, act, &target, &folder).await {
                Err(error) if error.kind() == Why::Conflict => before = self.find(one.account, one.folder).await?,
                Err(error) => return Err(error),
                Ok(()) => {
                    if !operator.rehearses() {
                        self.send(job).await;
                    }
                    return Ok(moved);
                }
            }
        }
        Err(Error::retry("it is being fetched; try again"))
    }

    fn restarted(&self, before: &Subscription, change: &Change) -> Result<Subscription> {
        let (mut after, now) = (before.clone(), self.world.env.now());
        (after.asked, after.due, after.gone, after.stopped) = (Some(now), now, None, false);
        after.forget_file();
        if after.failures > 0 {
            (after.failures, after.error) = (0, None);
        }
        after.refresh = change.refresh.map_or(Ok(after.refresh), check_refresh)?;
        let url = change.url.as_deref().map(read_url).transpose()?;
        if let Some(url) = url.filter(|url| *url != before.kept.url) {
            after.kept = Kept { url, make: before.kept.make.clone(), ..Kept::default() };
            (after.hash, after.published, after.objects, after.fetched) = (None, 0, 0, None);
        }
        after.turn += 1;
        Ok(after)
    }

    pub(crate) async fn sealed(&self, one: &Subscription) -> Result<bytes::Bytes> {
        let text = serde_json::to_vec(&one.kept).map_err(|error| Error::broken("a subscription cannot be written").because(error))?;
        self.directory.seal(one.account.tenant, &aad(self.key(one.account, one.folder).sk()), &text).await
    }

    pub(crate) async fn row(&self, one: &Subscription) -> Result<Row> {
        let mut row = Row::new().with("s", self.sealed(one).await?);
        for (name, value) in one.attributes().0 {
            row.set(name, value);
        }
        Ok(row)
    }

    /// The write that moves one on, on the condition that nobody else did.
    pub(crate) async fn moved(&self, before: &Subscription, after: &mut Subscription) -> Result<Write> {
        after.revision = before.revision + 1;
        let (mut set, remove) = after.attributes();
        if after.kept != before.kept {
            set.push(("s".into(), self.sealed(after).await?.into()));
        }
        let when = When::Equal(vec![("rv".into(), before.revision.into())]);
        Ok(Write::Update { key: self.key(after.account, after.folder), set, remove, when })
    }

    /// The job of its present turn; the same turn twice is one job.
    pub(crate) fn job(&self, one: &Subscription) -> Result<Job> {
        let Account { tenant, principal } = one.account;
        let ticket = Ticket { tenant, principal, folder: one.folder, turn: one.turn };
        let body = serde_json::to_vec(&ticket).map_err(|error| Error::broken("a job cannot be written").because(error))?;
        let mut bits = [0; 16];
        bits.copy_from_slice(&digest::digest(&digest::SHA256, &body).as_ref()[..16]);
        // One turn of a tenant at a time: whoever subscribes to slow servers waits for themselves.
        Ok(Job { id: CommitId::shaped(one.due, bits), tenant, group: tenant.to_string(), body: body.into() })
    }

    /// Sooner than the timer would; where it fails the timer does it.
    pub(crate) async fn send(&self, job: Job) {
        if let Err(error) = self.world.queue.send(QueueName::Subscribe, vec![job]).await {
            tracing::debug!(%error, "a subscription waits for the timer");
        }
    }
}

fn aad(sk: &Sk) -> Vec<u8> {
    [b"subscription#", sk.as_bytes()].concat()
}
