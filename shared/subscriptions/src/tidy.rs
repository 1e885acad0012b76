//! Upkeep's part: what has lost its job gets another one, and what is left of those who are gone is forgotten.

use crate::subscriptions::Subscriptions;
use penfold_ports::{Account, Query, Sk, Write};
use penfold_types::{AcceptanceId, Result, TenantId};
use std::collections::BTreeSet;
use std::time::Duration;

/// After this, a turn that has not come is called once more.
const LATE: Duration = Duration::from_secs(3600);

impl Subscriptions {
    pub async fn tidy(&self, tenant: TenantId) -> Result<()> {
        for one in self.all(tenant).await? {
            let now = self.world.env.now();
            if !one.stopped && one.due < now && now.since(one.due) >= LATE {
                self.send(self.job(&one)?).await;
            }
        }
        self.recount(tenant).await
    }

    /// The blobs that are needed however old they are.
    pub async fn named(&self, tenant: TenantId) -> Result<BTreeSet<AcceptanceId>> {
        Ok(self.all(tenant).await?.into_iter().filter_map(|one| Some(one.file?.acceptance)).collect())
    }

    /// Of a mailbox that is destroyed.
    pub async fn forget(&self, account: Account) -> Result<()> {
        // Counting reads all of the tenant's: most mailboxes have none.
        match self.drop_all(account.tenant, Sk::subscriptions_of(account.principal)).await? {
            0 => Ok(()),
            _ => self.recount(account.tenant).await,
        }
    }

    /// Of a tenant that is no more.
    pub async fn forget_all(&self, tenant: TenantId) -> Result<()> {
        self.drop_all(tenant, Sk::subscriptions()).await?;
        Ok(self.table().put(Write::delete(self.scope(tenant).subscription(Sk::subscription_count()))).await?)
    }

    async fn drop_all(&self, tenant: TenantId, prefix: Sk) -> Result<usize> {
        let pk = self.scope(tenant).subscription(prefix.clone()).pk().clone();
        let rows = self.table().query_all(&Query::prefix(pk, &prefix)).await?;
        for (sk, _) in &rows {
            self.table().put(Write::delete(self.scope(tenant).subscription(sk.clone()))).await?;
        }
        Ok(rows.len())
    }
}
