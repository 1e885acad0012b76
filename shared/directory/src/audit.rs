//! The audit log: one row for each administrative act and each access to somebody else's mailbox, in the same commit as
//! the act itself where it has one. The rows of a tenant are numbered without a gap, and each holds a hash over itself and
//! the one before it: what is changed, taken out or put in between is seen. The last number and hash stand in a row of their
//! own; whoever notes them down elsewhere also sees when the end was cut off.

use crate::rows::{read_time, sk, time};
use crate::store::Refused;
use crate::{Directory, access};
use aws_lc_rs::digest;
use bytes::Bytes;
use penfold_ports::{Query, Row, Sk, When, Write};
use penfold_types::{Error, Kind, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const DAY: i64 = 86_400;
/// Acts of one tenant are written one after the other; this often somebody else may have been faster.
const TRIES: usize = 20;
/// Characters of a detail.
const DETAIL: usize = 1000;

/// What is to be noted.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub tenant: TenantId,
    pub actor: String,
    /// As a verb with its noun: `person.create`.
    pub act: &'static str,
    pub target: String,
    pub detail: String,
    /// It makes the tenant, of which nothing is read before: where it will lie is not known yet.
    pub first: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Counts the tenant's acts, from 1.
    pub number: u64,
    pub at: Timestamp,
    pub actor: String,
    /// As a verb with its noun: `person.create`.
    pub act: String,
    pub target: String,
    pub detail: String,
    /// SHA-256 over the hash before and this entry.
    #[serde(skip)]
    pub hash: Bytes,
}

/// The end of a tenant's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// How many acts there are.
    pub number: u64,
    pub hash: Bytes,
    /// When the last one was.
    pub at: Timestamp,
    /// The last act after which an entry of the directory may look different.
    pub directory: u64,
}

/// Whether an act may change how somebody looks in the directory, or who is in it.
fn changes_directory(act: &str) -> bool {
    ["person.", "group.", "shared.", "contact."].iter().any(|noun| act.starts_with(noun))
}

/// What [`Directory::verify_audit`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditProof {
    pub head: AuditHead,
    /// The first number at which the log is not what was written.
    pub broken_at: Option<u64>,
}

impl AuditHead {
    fn read(row: Option<&Row>) -> Result<Self> {
        let Some(row) = row else { return Ok(Self { number: 0, hash: Bytes::new(), at: Timestamp::from_millis(0), directory: 0 }) };
        // An older version does not say which act it was.
        let directory = || row.u64("d").or_else(|| row.u64("n"));
        let read = || Some(Self { number: row.u64("n")?, hash: row.bytes("h")?.clone(), at: read_time(row), directory: directory()? });
        read().ok_or_else(|| Error::broken("the head of the audit log is damaged"))
    }

    fn when(&self) -> When {
        match self.number {
            0 => When::Absent,
            number => When::Equal(vec![("n".into(), number.into()), ("h".into(), self.hash.clone().into())]),
        }
    }

    fn row(&self) -> Row {
        Row::new().with("n", self.number).with("h", self.hash.clone()).with("at", time(self.at)).with("d", self.directory)
    }

    /// The entry that comes after this head, and the head that it makes.
    /// No clock that is behind puts an act before an earlier one.
    fn follow(&self, act: &Act, now: Timestamp) -> (Self, Row) {
        let at = self.at.max(now);
        let number = self.number.saturating_add(1);
        let detail: String = act.detail.chars().take(DETAIL).collect();
        let hash = chained(&self.hash, number, at, [&act.actor, act.act, &act.target, &detail]);
        let mut row = Row::new().with("w", act.actor.as_str()).with("act", act.act).with("on", act.target.as_str());
        row = row.with("at", time(at)).with("h", hash.clone());
        if !detail.is_empty() {
            row.set("d", detail);
        }
        let directory = if changes_directory(act.act) { number } else { self.directory };
        (Self { number, hash, at, directory }, row)
    }
}

/// Each part with its length before it, so that no two entries say the same.
fn chained(before: &[u8], number: u64, at: Timestamp, parts: [&str; 4]) -> Bytes {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&(before.len() as u64).to_be_bytes());
    context.update(before);
    context.update(&number.to_be_bytes());
    context.update(&at.millis().to_be_bytes());
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    Bytes::copy_from_slice(context.finish().as_ref())
}

impl Directory {
    /// Carries out `writes` with the rows that note them. A failed condition counts in `writes`.
    pub(crate) async fn commit_noted(&self, writes: Vec<Write>, acts: &[Act]) -> Result<(), Refused> {
        let first = acts.first().map(|act| act.tenant);
        // Saves failed conditions among those who are in this process; the condition itself is what keeps the order.
        let _one_at_a_time = match first {
            Some(tenant) => self.noting(tenant).await,
            None => None,
        };
        for _ in 0..TRIES {
            let mut all = writes.clone();
            all.extend(self.chain(acts).await.map_err(Refused::Other)?);
            match self.store().commit(all).await {
                Err(Refused::Condition(write)) if write >= writes.len() => {
                    self.env().sleep_jittered(std::time::Duration::from_millis(20)).await;
                }
                answer => return answer,
            }
        }
        Err(Refused::Other(Error::retry("too much is changed here at once; try again")))
    }

    /// The writes that note acts, after what is there now.
    pub(crate) async fn chain(&self, acts: &[Act]) -> Result<Vec<Write>> {
        let (now, mut heads) = (self.env().now(), BTreeMap::new());
        let mut writes = Vec::with_capacity(acts.len() * 2);
        for act in acts {
            let scope = access::organisation(act.tenant);
            let known = match heads.remove(&act.tenant) {
                Some(known) => known,
                None if act.first => {
                    let head = AuditHead::read(None)?;
                    (head.when(), head)
                }
                None => {
                    let head = AuditHead::read(self.store().get(&scope.organisation(sk::audit_head())).await?.as_ref())?;
                    (head.when(), head)
                }
            };
            let (head, row) = known.1.follow(act, now);
            writes.push(Write::put_new(scope.audit(day(head.at), head.number), row));
            heads.insert(act.tenant, (known.0, head));
        }
        for (tenant, (when, head)) in heads {
            let key = access::organisation(tenant).organisation(sk::audit_head());
            writes.push(Write::Put { key, row: head.row(), when });
        }
        Ok(writes)
    }

    /// One day's acts (`day` counts from 1970-01-01), the newest first, at most `limit`, before number `before`.
    pub(crate) async fn audit_day(&self, tenant: TenantId, day: i64, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>> {
        let scope = access::organisation(tenant);
        let first = scope.audit(day, 0);
        let to = before.map(|number| scope.audit(day, number).sk().clone());
        let query = Query { pk: first.pk().clone(), from: first.sk().clone(), to, limit, reverse: true };
        let rows = self.store().query_all(&query).await?;
        Ok(rows.into_iter().take(limit).filter_map(|(key, row)| read(&key, &row)).collect())
    }

    /// Moves whenever an entry of a tenant's directory may look different, or is there no longer: one read.
    pub async fn directory_revision(&self, tenant: TenantId) -> Result<u64> {
        Ok(self.audit_head(tenant).await?.directory)
    }

    pub(crate) async fn audit_head(&self, tenant: TenantId) -> Result<AuditHead> {
        AuditHead::read(self.store().get(&access::organisation(tenant).organisation(sk::audit_head())).await?.as_ref())
    }

    /// Reads all of a tenant's log, from the day it was made, and follows the chain.
    pub(crate) async fn verify_audit(&self, tenant: TenantId) -> Result<AuditProof> {
        let head = self.audit_head(tenant).await?;
        let begun = match self.tenant_now(tenant).await {
            Ok(found) => found.created,
            Err(error) if error.kind() == Kind::NotFound => tenant.time(),
            Err(error) => return Err(error),
        };
        let (mut number, mut hash) = (0u64, Bytes::new());
        // A clock that was ahead once leaves acts ahead of now.
        let last = day(self.env().now()).max(day(head.at)) + 1;
        for today in day(begun) - 1..=last {
            let first = access::organisation(tenant).audit(today, 0);
            let mut query = Query { pk: first.pk().clone(), from: first.sk().clone(), to: None, limit: 1000, reverse: false };
            loop {
                let page = self.store().query(&query).await?;
                for (key, row) in &page.rows {
                    number += 1;
                    let entry = read(key, row);
                    let holds = entry.filter(|entry| {
                        let parts = [&*entry.actor, &entry.act, &entry.target, &entry.detail];
                        entry.number == number && entry.hash == chained(&hash, number, entry.at, parts)
                    });
                    let Some(entry) = holds else { return Ok(AuditProof { head, broken_at: Some(number) }) };
                    hash = entry.hash;
                    if number == head.number && hash != head.hash {
                        return Ok(AuditProof { head, broken_at: Some(number) });
                    }
                }
                match page.rows.last() {
                    Some((last, _)) if page.more => query.from = last.successor(),
                    _ => break,
                }
            }
        }
        if number < head.number {
            return Ok(AuditProof { head, broken_at: Some(number + 1) });
        }
        // What came while this was read has a place before the head of now; what was put behind it has none.
        let written = if number > head.number { self.audit_head(tenant).await?.number } else { number };
        let broken_at = (number > written).then_some(written + 1);
        Ok(AuditProof { head, broken_at })
    }
}

fn day(at: Timestamp) -> i64 {
    at.seconds().div_euclid(DAY)
}

fn read(key: &Sk, row: &Row) -> Option<AuditEntry> {
    let number = u64::from_be_bytes(key.as_bytes().try_into().ok()?);
    let text = |name: &'static str| row.str(name).unwrap_or_default().to_owned();
    let hash = row.bytes("h")?.clone();
    Some(AuditEntry { number, at: read_time(row), actor: text("w"), act: text("act"), target: text("on"), detail: text("d"), hash })
}
