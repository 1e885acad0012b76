//! How many a tenant has: `sb#T` / `n`: `n` that many, and `rv`, which moves with each that comes or goes, in the same commit. What
//! was counted before such a commit therefore still holds when it is carried out.

use crate::subscriptions::Subscriptions;
use penfold_ports::{PortError, Query, Sk, When, Write};
use penfold_types::{Result, TenantId};

pub(crate) struct Count {
    pub there: u64,
    /// `None`: nothing was counted yet.
    revision: Option<u64>,
}

impl Subscriptions {
    pub(crate) async fn count(&self, tenant: TenantId) -> Result<Count> {
        let row = self.table().get(&self.scope(tenant).subscription(Sk::subscription_count())).await?;
        match row.as_ref().and_then(|row| row.u64("n").zip(row.u64("rv"))) {
            Some((there, revision)) => Ok(Count { there, revision: Some(revision) }),
            None => Ok(Count { there: self.number(tenant).await?, revision: None }),
        }
    }

    /// The write that makes it `there`, on the condition that nothing came or went since.
    pub(crate) fn counted(&self, tenant: TenantId, since: &Count, there: u64) -> Write {
        let when = since.revision.map_or(When::Absent, |revision| When::Equal(vec![("rv".into(), revision.into())]));
        let set = vec![("n".into(), there.into()), ("rv".into(), (since.revision.unwrap_or(0) + 1).into())];
        Write::Update { key: self.scope(tenant).subscription(Sk::subscription_count()), set, remove: Vec::new(), when }
    }

    async fn number(&self, tenant: TenantId) -> Result<u64> {
        let prefix = Sk::subscriptions();
        let pk = self.scope(tenant).subscription(prefix.clone()).pk().clone();
        Ok(self.table().query_all(&Query::prefix(pk, &prefix)).await?.len() as u64)
    }

    /// Counts anew, after some went without being counted.
    pub(crate) async fn recount(&self, tenant: TenantId) -> Result<()> {
        let count = self.count(tenant).await?;
        let there = self.number(tenant).await?;
        if count.there == there {
            return Ok(());
        }
        match self.table().commit(vec![self.counted(tenant, &count, there)]).await {
            // Something came or went: the next time.
            Err(PortError::Condition { .. }) => Ok(()),
            done => Ok(done?),
        }
    }
}
