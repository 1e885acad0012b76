//! When a domain's keys change: a new pair is made, published by whoever keeps the zone, and signs once it is seen in DNS;
//! the old pair stays published until its last signatures have been verified.

use crate::keys::{Domains, PublicKey, public};
use crate::wanted::key_name;
use crate::{Verdict, check};
use penfold_directory::{DomainKey, KeyChange, KeyState};
use penfold_ports::Dns;
use penfold_types::{Domain, Kind, Result, TenantId, Timestamp};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long a pair signs before the next one is made.
pub const LIFE: Duration = Duration::from_secs(180 * DAY.as_secs());
/// How long a pair that signs no more stays published: mail is retried for days, and some readers verify later.
pub const PUBLISHED: Duration = Duration::from_secs(14 * DAY.as_secs());

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Make the next pair.
    Make,
    /// The next pair signs from now on, and the one before retires.
    Activate,
    /// These selectors are no longer needed.
    Drop(Vec<String>),
}

/// What is due. `seen`: the next pair's records are in DNS.
pub fn decide(keys: &[DomainKey], now: Timestamp, seen: bool) -> Vec<Act> {
    let of = |state: KeyState| keys.iter().filter(move |key| key.state == state);
    let gone: Vec<_> = of(KeyState::Retired).filter(|key| now.since(key.at) >= PUBLISHED).map(|key| key.selector.clone()).collect();
    let mut acts = Vec::new();
    if !gone.is_empty() {
        acts.push(Act::Drop(gone));
    }
    if of(KeyState::Next).next().is_some() {
        acts.extend(seen.then_some(Act::Activate));
    } else if of(KeyState::Active).any(|key| now.since(key.at) >= LIFE) {
        acts.push(Act::Make);
    }
    acts
}

/// What came of a wish for new keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// These were made now, and wait for their records.
    Made(Vec<PublicKey>),
    /// These wait for their records, which are not seen yet.
    Waiting(Vec<PublicKey>),
    /// These sign from now on.
    Activated(Vec<PublicKey>),
}

impl Domains {
    /// What is due by itself, done; for upkeep. Where somebody else changes the keys meanwhile it is left to him.
    pub async fn round(&self, tenant: TenantId, domain: &Domain) -> Result<Vec<Act>> {
        let keys = self.directory().domain_keys(tenant, domain).await?;
        let seen = self.next_is_seen(domain, &keys).await?;
        let acts = decide(&keys, self.env().now(), seen);
        for act in &acts {
            match self.carry_out(tenant, domain, &keys, act).await {
                Err(error) if error.kind() == Kind::Conflict => break,
                done => done?,
            }
        }
        Ok(acts)
    }

    /// A step forward, now: the next pair where there is none; else its activation once it is seen. `force` does not look.
    pub async fn rotate(&self, tenant: TenantId, domain: &Domain, force: bool) -> Result<Rotation> {
        self.claim(tenant, domain).await?;
        let mut keys = self.ensure(tenant, domain).await?;
        let made = if keys.iter().any(|key| key.state == KeyState::Next) {
            None
        } else {
            let made = self.add_pair(tenant, domain, &keys, KeyState::Next).await?;
            keys.extend(made.iter().cloned());
            Some(made)
        };
        keys.sort_by(|one, other| one.selector.cmp(&other.selector));
        let waiting: Vec<_> = keys.iter().filter(|key| key.state == KeyState::Next).map(public).collect::<Result<_>>()?;
        if force || (made.is_none() && self.next_is_seen(domain, &keys).await?) {
            self.carry_out(tenant, domain, &keys, &Act::Activate).await?;
            return Ok(Rotation::Activated(waiting));
        }
        Ok(if made.is_some() { Rotation::Made(waiting) } else { Rotation::Waiting(waiting) })
    }

    async fn carry_out(&self, tenant: TenantId, domain: &Domain, keys: &[DomainKey], act: &Act) -> Result<()> {
        let set = |from: KeyState, to: KeyState| {
            let of = keys.iter().filter(move |key| key.state == from);
            of.map(move |key| KeyChange::Set { selector: key.selector.clone(), from, to })
        };
        let changes: Vec<KeyChange> = match act {
            Act::Make => return self.add_pair(tenant, domain, keys, KeyState::Next).await.map(|_| ()),
            Act::Activate => set(KeyState::Next, KeyState::Active).chain(set(KeyState::Active, KeyState::Retired)).collect(),
            Act::Drop(gone) => {
                gone.iter().map(|selector| KeyChange::Remove { selector: selector.clone(), from: KeyState::Retired }).collect()
            }
        };
        tracing::info!(%tenant, %domain, ?act, "DKIM keys change");
        self.operator().change_domain_keys(tenant, domain, &changes).await
    }

    /// All records of the next pair are in DNS; false where there is no next pair, or nobody answers.
    async fn next_is_seen(&self, domain: &Domain, keys: &[DomainKey]) -> Result<bool> {
        let next: Vec<_> = keys.iter().filter(|key| key.state == KeyState::Next).map(public).collect::<Result<_>>()?;
        if next.is_empty() {
            return Ok(false);
        }
        for key in &next {
            if !is_published(&**self.dns(), domain, key).await {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

async fn is_published(dns: &dyn Dns, domain: &Domain, key: &PublicKey) -> bool {
    match dns.txt_now(&key_name(domain, &key.selector)).await {
        Ok(answer) => check::key_verdict(&key.record, &answer.records) == Verdict::Ok,
        Err(_) => false,
    }
}
