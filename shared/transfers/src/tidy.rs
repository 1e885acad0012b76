//! Upkeep's part: what has lost its job gets another one, what is old is forgotten, and the sweep learns what is needed.

use crate::content::Part;
use crate::transfer::{State, Transfer};
use crate::transfers::{Transfers, same};
use penfold_ports::{Query, Sk, Write};
use penfold_types::{AcceptanceId, Result, TenantId};
use std::collections::BTreeSet;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// For how long an upload may take to come.
const UPLOAD: Duration = DAY;
/// For how long the result of an export can be downloaded.
pub(crate) const CONTENT: Duration = Duration::from_secs(7 * DAY.as_secs());
/// For how long what became of one is remembered.
pub(crate) const KEPT: Duration = Duration::from_secs(30 * DAY.as_secs());

impl Transfer {
    /// Until when its content can be downloaded.
    pub fn content_until(&self) -> Option<penfold_types::Timestamp> {
        self.ended.filter(|_| self.state == State::Done && !self.order.is_import()).map(|ended| ended.plus(CONTENT))
    }
}

impl Transfers {
    /// Over all of a tenant. `thorough`: also what is left of those that are gone, which costs two queries more.
    pub async fn tidy(&self, tenant: TenantId, thorough: bool) -> Result<()> {
        let all = self.all(tenant).await?;
        if thorough {
            self.drop_orphans(tenant, &all).await?;
        }
        for transfer in all {
            let now = self.world.env.now();
            let since = |at: Option<penfold_types::Timestamp>| at.map_or(Duration::ZERO, |at| now.since(at));
            match transfer.state {
                State::Uploading if now.since(transfer.created) >= UPLOAD => {
                    let given_up = Transfer { state: State::Cancelled, ended: Some(now), step: transfer.step + 1, ..transfer.clone() };
                    let key = self.key(&given_up);
                    let write = Write::Update { key, set: given_up.changing(), remove: Vec::new(), when: same(&transfer) };
                    if self.table().commit(vec![write]).await.is_ok() {
                        self.drop_upload(&given_up).await?;
                    }
                }
                // What a file held is needed no more; whoever ended it may have died before that was done.
                State::Done | State::Failed | State::Cancelled if transfer.order.is_import() && since(transfer.ended) < KEPT => {
                    self.drop_upload(&transfer).await?;
                }
                // One that is still called changes nothing by being called twice.
                State::Waiting | State::Running => self.call(&transfer).await?,
                State::Uploading => {}
                State::Done | State::Failed | State::Cancelled if since(transfer.ended) >= KEPT => {
                    self.drop_rows(&transfer).await?;
                    self.table().put(Write::delete(self.key(&transfer))).await?;
                }
                State::Done | State::Failed | State::Cancelled if since(transfer.ended) >= CONTENT => self.drop_content(&transfer).await?,
                State::Done | State::Failed | State::Cancelled => {}
            }
        }
        Ok(())
    }

    /// What is left of those that were removed while somebody died.
    async fn drop_orphans(&self, tenant: TenantId, all: &[Transfer]) -> Result<()> {
        let known: BTreeSet<_> = all.iter().map(|one| *one.id.as_bytes()).collect();
        for prefix in [Sk::text("c#"), Sk::text("p#")] {
            let pk = self.scope(tenant).transfer(prefix.clone()).pk().clone();
            for (sk, _) in self.table().query_all(&Query::prefix(pk, &prefix)).await? {
                let whose = sk.as_bytes().get(2..18).and_then(|id| <[u8; 16]>::try_from(id).ok());
                if whose.is_some_and(|id| !known.contains(&id)) {
                    self.table().put(Write::delete(self.scope(tenant).transfer(sk))).await?;
                }
            }
        }
        Ok(())
    }

    /// The blobs that are needed however old they are.
    pub async fn named(&self, tenant: TenantId) -> Result<BTreeSet<AcceptanceId>> {
        let prefix = Sk::text("c#");
        let pk = self.scope(tenant).transfer(prefix.clone()).pk().clone();
        let rows = self.table().query_all(&Query::prefix(pk, &prefix)).await?;
        rows.iter().map(|(_, row)| Part::read(row).map(|part| part.acceptance)).collect()
    }

    /// Of a tenant that is no more.
    pub async fn forget(&self, tenant: TenantId) -> Result<()> {
        let all = Sk::from_stored(&[0]);
        let pk = self.scope(tenant).transfer(all.clone()).pk().clone();
        let query = Query { pk, from: all, to: None, limit: usize::MAX, reverse: false };
        for (sk, _) in self.table().query_all(&query).await? {
            self.table().put(Write::delete(self.scope(tenant).transfer(sk))).await?;
        }
        Ok(())
    }
}
