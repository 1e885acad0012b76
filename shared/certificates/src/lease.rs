//! One who orders at a time: several edges run side by side, and an authority counts what all of them ask.

use crate::certificates::Certificates;
use crate::row::stored;
use penfold_ports::{Row, Value, When, Write, shared};
use penfold_types::{Result, Timestamp};
use std::time::Duration;

/// Longer than one order may take.
pub(crate) const LEASE: Duration = Duration::from_secs(300);

/// Held until its time is over or it is given back.
pub(crate) struct Lease<'a> {
    certificates: &'a Certificates,
    holder: u64,
    until: u64,
}

impl Certificates {
    /// Where no other process can be at work on this store, and one before us may have died with the lease.
    pub async fn break_lease(&self) -> Result<()> {
        self.store.commit(vec![Write::delete(shared::certificates_lease())]).await?;
        Ok(())
    }
}

fn row(holder: u64, until: u64) -> Row {
    Row::new().with("h", holder).with("u", until)
}

impl<'a> Lease<'a> {
    /// `None` where somebody else has it.
    pub async fn take(certificates: &'a Certificates) -> Result<Option<Self>> {
        let env = certificates.env();
        let (key, now) = (shared::certificates_lease(), env.now());
        let when = match certificates.store.get(&key).await? {
            None => When::Absent,
            Some(row) => {
                let until = row.u64("u").unwrap_or(0);
                // A clock that was far ahead must not keep everybody out for long.
                let limit = stored(now.plus(LEASE + LEASE));
                if until > stored(now) && until <= limit {
                    return Ok(None);
                }
                When::Equal(vec![("h".into(), Value::U(row.u64("h").unwrap_or(0))), ("u".into(), Value::U(until))])
            }
        };
        let (holder, until) = (env.random_u64() >> 1, stored(now.plus(LEASE)));
        let taken = certificates.store.commit(vec![Write::Put { key, row: row(holder, until), when }]).await?;
        Ok(taken.then_some(Self { certificates, holder, until }))
    }

    /// For another while; false where it is lost.
    pub async fn renew(&mut self) -> Result<bool> {
        let now: Timestamp = self.certificates.env().now();
        let until = stored(now.plus(LEASE));
        if until == self.until {
            return Ok(true);
        }
        let put = Write::Put { key: shared::certificates_lease(), row: row(self.holder, until), when: self.held() };
        let kept = self.certificates.store.commit(vec![put]).await?;
        self.until = until;
        Ok(kept)
    }

    pub async fn give_back(self) -> Result<()> {
        // Where it is lost, it is another's.
        self.certificates.store.commit(vec![Write::Delete { key: shared::certificates_lease(), when: self.held() }]).await?;
        Ok(())
    }

    fn held(&self) -> When {
        When::Equal(vec![("h".into(), Value::U(self.holder)), ("u".into(), Value::U(self.until))])
    }
}
