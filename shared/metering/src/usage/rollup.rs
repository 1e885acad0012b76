use super::counter::{Counter, number};
use super::day::Day;
use super::mark::Mark;
use penfold_directory::Directory;
use penfold_mailbox::{Head, Mailboxes, Status, Stretch};
use penfold_ports::{Account, Commit, PortError, Query, Row, Scope, Sk, TenantScope, When, World, Write, limits, shared};
use penfold_types::{CommitId, Error, PrincipalId, Result, TenantId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// For how long usage is kept.
pub(super) const KEPT_DAYS: u32 = 400;
/// A commit carries the time at which it was decided on, and may have been on its way for so long.
const ON_ITS_WAY: Duration = Duration::from_secs(300);

/// The meter.
pub struct Usage {
    world: World,
    directory: Directory,
    mailboxes: Mailboxes,
}

/// What a round did.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Round {
    /// Mailboxes in which something had happened.
    pub moved: u64,
    /// Those of them whose bytes were not the sum of what had happened.
    pub differing: u64,
    /// Those that are left for the next round.
    pub left: u64,
}

/// What was to be done with one mailbox.
enum Done {
    Nothing,
    Counted {
        differs: bool,
    },
    /// A commit is being carried out, or somebody else counts.
    Later,
}

impl Usage {
    pub fn new(world: &World, directory: Directory, mailboxes: &Mailboxes) -> Self {
        Self { world: world.named("meter"), directory, mailboxes: mailboxes.named("meter") }
    }

    /// Once over all mailboxes. Where it came by all of them, usage is said to be counted up to its beginning.
    pub async fn round(&self) -> Result<Round> {
        let begun = self.world.env.now();
        let mut tenants = self.directory.every_tenant().await?;
        tenants.extend(self.directory.gone_tenants().await?);
        let mut round = Round::default();
        for tenant in tenants {
            if let Err(error) = self.tenant(tenant, &mut round).await {
                tracing::warn!(%tenant, %error, "the meter leaves a tenant for its next round");
                round.left += 1;
            }
        }
        if round.left == 0 {
            let until = begun.millis().saturating_sub(ON_ITS_WAY.as_millis() as i64).max(0);
            self.world.table.put(Write::put(shared::metered(), Row::new().with("t", until.unsigned_abs()))).await?;
        }
        Ok(round)
    }

    async fn tenant(&self, tenant: TenantId, round: &mut Round) -> Result<()> {
        let organisation = self.directory.tenant_scope(tenant);
        let marks = marks(&self.world, &organisation).await?;
        let mut scopes = self.directory.every_account(tenant).await?;
        scopes.extend(self.directory.gone_accounts(tenant).await?.into_iter().map(|(scope, _)| scope));
        let known: BTreeSet<PrincipalId> = scopes.iter().map(|scope| scope.account().principal).collect();
        for (principal, mark) in &marks {
            if mark.closed.is_none() && !known.contains(principal) {
                scopes.push(self.directory.job_scope(Account { tenant, principal: *principal }));
            }
            if mark.closed.is_some_and(|at| number(at).saturating_add(KEPT_DAYS) < self.today()) {
                self.forget_mailbox(&organisation, *principal).await?;
            }
        }
        for scopes in scopes.chunks(limits::BATCH) {
            for (scope, head) in scopes.iter().zip(self.mailboxes.heads(scopes).await?) {
                let done = match head {
                    Ok(head) => self.mailbox(&organisation, scope, head, marks.get(&scope.account().principal).copied()).await,
                    Err(error) => Err(error),
                };
                match done {
                    Ok(Done::Nothing) => {}
                    Ok(Done::Counted { differs }) => {
                        round.moved += 1;
                        round.differing += u64::from(differs);
                    }
                    Ok(Done::Later) => round.left += 1,
                    Err(error) => {
                        tracing::warn!(%tenant, principal = %scope.account().principal, %error, "a mailbox is not counted");
                        round.left += 1;
                    }
                }
            }
        }
        Ok(())
    }

    async fn mailbox(&self, organisation: &TenantScope, scope: &Scope, head: Option<Head>, mark: Option<Mark>) -> Result<Done> {
        let is_gone = head.as_ref().is_none_or(|head| head.status == Status::Destroyed);
        match (head, mark) {
            (Some(head), mark) if !is_gone => self.count(organisation, scope, &head, mark).await,
            (_, Some(mark)) if mark.closed.is_none() => {
                let mut counter = self.counter(organisation, scope, Some(mark)).await?;
                counter.close(self.world.env.now());
                if self.store(organisation, scope, counter, Some(mark)).await? {
                    Ok(Done::Counted { differs: false })
                } else {
                    Ok(Done::Later)
                }
            }
            _ => Ok(Done::Nothing),
        }
    }

    async fn count(&self, organisation: &TenantScope, scope: &Scope, head: &Head, mut mark: Option<Mark>) -> Result<Done> {
        let counted = |mark: &Mark| (mark.modseq, mark.bytes, mark.items) == (head.modseq, head.used, head.items) && mark.closed.is_none();
        if mark.as_ref().is_some_and(counted) {
            return Ok(Done::Nothing);
        }
        loop {
            let mut counter = self.counter(organisation, scope, mark).await?;
            counter.mark.closed = None;
            counter.skip_to(head.floor);
            let before = counter.mark.modseq;
            let stretch = match before < head.modseq {
                true => self.mailboxes.stretch(scope, before, head.modseq).await?,
                false => Stretch::default(),
            };
            let mut more = stretch.more;
            for change in &stretch.changes {
                if !counter.apply(change) {
                    more = true;
                    break;
                }
            }
            // Rows of a commit may be seen one after the other.
            if counter.mark.modseq < head.modseq && (!more || counter.mark.modseq == before) {
                return Ok(Done::Later);
            }
            let differs = if more { None } else { counter.compare(head, self.world.env.now()) };
            if let Some(bytes) = differs {
                let account = scope.account();
                tracing::warn!(tenant = %account.tenant, principal = %account.principal, bytes, "what is stored is not the sum of what happened");
            }
            let now = counter.mark;
            if !self.store(organisation, scope, counter, mark).await? {
                return Ok(Done::Later);
            }
            if !more {
                return Ok(Done::Counted { differs: differs.is_some() });
            }
            mark = Some(now);
        }
    }

    async fn counter(&self, organisation: &TenantScope, scope: &Scope, mark: Option<Mark>) -> Result<Counter> {
        let Some(own) = mark else { return Ok(Counter::new(None, None)) };
        let key = organisation.usage(Sk::day(scope.account().principal, number(own.at)));
        let row = self.world.table.get(&key).await?;
        let day = row.map(|row| Day::from_row(&row).ok_or_else(|| Error::broken("a day's usage cannot be read"))).transpose()?;
        Ok(Counter::new(mark, day))
    }

    /// False where somebody else was first.
    async fn store(&self, organisation: &TenantScope, scope: &Scope, counter: Counter, before: Option<Mark>) -> Result<bool> {
        let principal = scope.account().principal;
        let when = before.map_or(When::Absent, |mark| mark.stands());
        let key = organisation.usage(Sk::mark(principal));
        let mark = Write::Update { key, set: counter.mark.attributes(), remove: counter.mark.without(), when };
        let old_day = before.map(|mark| number(mark.at));
        let days = counter.days.iter().map(|(day, own)| {
            let key = organisation.usage(Sk::day(principal, *day));
            Write::Update { key, set: own.attributes(), remove: Vec::new(), when: When::Always }
        });
        let writes: Vec<Write> = std::iter::once(mark).chain(days).collect();
        let answer = match <[Write; 1]>::try_from(writes) {
            Ok([mark]) => self.world.table.put(mark).await,
            Err(writes) => self.world.table.commit(&Commit { id: CommitId::new(&self.world.env), writes }).await,
        };
        match answer {
            Ok(()) => {
                if counter.days.keys().any(|day| Some(*day) > old_day) {
                    self.forget_days(organisation, principal).await?;
                }
                Ok(true)
            }
            Err(PortError::Condition { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn today(&self) -> u32 {
        number(self.world.env.now().seconds())
    }

    /// A few at a time: as many go as come.
    async fn forget_days(&self, organisation: &TenantScope, principal: PrincipalId) -> Result<bool> {
        let Some(end) = self.today().checked_sub(KEPT_DAYS) else { return Ok(false) };
        let (from, to) = (Sk::days(principal), Some(Sk::day(principal, end)));
        let pk = organisation.usage(Sk::marks()).pk().clone();
        let page = self.world.table.query(&Query { pk, from, to, limit: limits::WRITES, reverse: false }).await?;
        if page.rows.is_empty() {
            return Ok(false);
        }
        let writes = page.rows.into_iter().map(|(sk, _)| Write::delete(organisation.usage(sk))).collect();
        self.world.table.commit(&Commit { id: CommitId::new(&self.world.env), writes }).await?;
        Ok(page.more)
    }

    async fn forget_mailbox(&self, organisation: &TenantScope, principal: PrincipalId) -> Result<()> {
        while self.forget_days(organisation, principal).await? {}
        Ok(self.world.table.put(Write::delete(organisation.usage(Sk::mark(principal)))).await?)
    }
}

/// The mark of every mailbox that was ever counted.
pub(super) async fn marks(world: &World, organisation: &TenantScope) -> Result<BTreeMap<PrincipalId, Mark>> {
    let prefix = Sk::marks();
    let pk = organisation.usage(prefix.clone()).pk().clone();
    let rows = world.table.query_all(Query::prefix(pk, &prefix)).await?;
    let read = |(sk, row): (Sk, Row)| {
        let principal = sk.as_bytes().strip_prefix(prefix.as_bytes()).and_then(PrincipalId::from_slice);
        principal.zip(Mark::from_row(&row)).ok_or_else(|| Error::broken("a mailbox's mark of usage cannot be read"))
    };
    rows.into_iter().map(read).collect()
}
