//! Requests that are to be done once, however often they come: under their key stands what they were and what came of them.

use crate::rows::{read_time, time};
use crate::store::Refused;
use crate::{Directory, access};
use bytes::Bytes;
use penfold_ports::{Key, Query, Row, Sk, When, Write, shared};
use penfold_types::{Error, Result, TenantId};
use std::time::Duration;

/// For how long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Whoever began and said nothing for so long has died.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub struct Once {
    /// `None`: the operator's.
    pub tenant: Option<TenantId>,
    /// Of the caller and their key.
    pub key: Bytes,
    /// Of the request itself.
    pub print: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Nobody did it yet: do it, then [`Directory::end_once`].
    Mine,
    /// The key was used for another request.
    Another,
    UnderWay,
    Done(Vec<u8>),
}

impl Once {
    fn row_key(&self) -> Key {
        let sk = Sk::from_stored(&[b"once#", &self.key[..]].concat());
        match self.tenant {
            Some(tenant) => access::organisation(tenant).once(sk),
            None => shared::once(sk),
        }
    }

    fn belongs_to(&self) -> Vec<u8> {
        [b"once#", &self.key[..]].concat()
    }
}

impl Directory {
    pub async fn begin_once(&self, once: &Once) -> Result<Turn> {
        let now = self.env().now();
        let row = Row::new().with("fp", once.print.clone()).with("at", time(now)).with("exp", now.plus(KEPT).seconds().unsigned_abs());
        match self.store().once(Write::put_new(once.row_key(), row.clone())).await {
            Ok(()) => return Ok(Turn::Mine),
            Err(Refused::Condition(_)) => {}
            Err(Refused::Other(error)) => return Err(error),
        }
        let Some(found) = self.store().get(&once.row_key()).await? else { return Ok(Turn::UnderWay) };
        let age = now.since(read_time(&found));
        let stale = age >= KEPT || (found.bytes("an").is_none() && age >= PATIENCE);
        if stale {
            let when = When::Equal(vec![("at".into(), time(read_time(&found)).into())]);
            return match self.store().once(Write::Put { key: once.row_key(), row, when }).await {
                Ok(()) => Ok(Turn::Mine),
                Err(Refused::Condition(_)) => Ok(Turn::UnderWay),
                Err(Refused::Other(error)) => Err(error),
            };
        }
        if found.bytes("fp") != Some(&once.print) {
            return Ok(Turn::Another);
        }
        let Some(sealed) = found.bytes("an") else { return Ok(Turn::UnderWay) };
        let answer = match once.tenant {
            Some(tenant) => self.open(tenant, &once.belongs_to(), sealed).await?,
            None => self.open_for_cell(&once.belongs_to(), sealed).await?,
        };
        Ok(Turn::Done(answer))
    }

    pub async fn end_once(&self, once: &Once, answer: &[u8]) -> Result<()> {
        let sealed = match once.tenant {
            Some(tenant) => self.seal(tenant, &once.belongs_to(), answer).await?,
            None => self.seal_for_cell(&once.belongs_to(), answer).await?,
        };
        let set = vec![("an".into(), sealed.into())];
        let write = Write::Update { key: once.row_key(), set, remove: vec![], when: When::Present };
        self.store().put(write).await.map_err(|refused| refused.explain(|_| Error::not_found("the request is not known any more")))
    }

    /// Takes away what is over, of a tenant or of the operator, for upkeep; the cloud's table does it by itself as well.
    pub async fn expire_once(&self, tenant: Option<TenantId>) -> Result<()> {
        let now = self.env().now().seconds().unsigned_abs();
        self.remove_once(tenant, |row| row.u64("exp").is_none_or(|ends| ends < now)).await
    }

    /// All that a tenant that was removed has left.
    pub async fn forget_all_once(&self, tenant: TenantId) -> Result<()> {
        self.remove_once(Some(tenant), |_| true).await
    }

    async fn remove_once(&self, tenant: Option<TenantId>, over: impl Fn(&Row) -> bool) -> Result<()> {
        let prefix = Sk::text("once#");
        let key = |sk| match tenant {
            Some(tenant) => access::organisation(tenant).once(sk),
            None => shared::once(sk),
        };
        let pk = key(prefix.clone()).pk().clone();
        for (sk, row) in self.store().query_all(&Query::prefix(pk, &prefix)).await? {
            if over(&row) {
                self.store().put(Write::delete(key(sk))).await?;
            }
        }
        Ok(())
    }

    /// It may be done again.
    pub async fn forget_once(&self, once: &Once) -> Result<()> {
        Ok(self.store().put(Write::delete(once.row_key())).await?)
    }
}
