//! Which partitions a tenant has. The list is drawn from its own rows: everybody who has an address, and everybody deleted whose
//! mailbox is still kept. What belongs to a cell stays: watch rows, parked jobs, the queue's lag.

use super::patiently;
use penfold_directory::{Directory, named_by};
use penfold_ports::{Account, BlobKey, Key, Pk, Query, Row, Sk, World};
use penfold_types::{PrincipalId, Result, TenantId, Timestamp};
use std::collections::BTreeSet;

const DAY: i64 = 86_400;

#[derive(Clone)]
pub struct Walk {
    pub world: World,
    pub directory: Directory,
    pub tenant: TenantId,
}

/// Rows of an account that stay: they say which edges of this cell want wakes.
pub fn stays(pk: &Pk, sk: &Sk) -> bool {
    pk.as_str().starts_with("a#") && *sk >= Sk::watches() && *sk < Sk::watches().after_prefix()
}

impl Walk {
    pub fn organisation(&self) -> Pk {
        self.directory.tenant_scope(self.tenant).organisation(Sk::text("t")).pk().clone()
    }

    pub fn usage(&self) -> Pk {
        self.directory.tenant_scope(self.tenant).usage(Sk::marks()).pk().clone()
    }

    /// What others reported about its domains.
    pub fn reports(&self) -> Pk {
        self.directory.tenant_scope(self.tenant).report(Sk::report_count()).pk().clone()
    }

    /// Imports and exports, and what is to be downloaded.
    pub fn transfers(&self) -> Pk {
        self.directory.tenant_scope(self.tenant).transfer(Sk::transfers()).pk().clone()
    }

    /// Calendars that come from elsewhere.
    pub fn subscriptions(&self) -> Pk {
        self.directory.tenant_scope(self.tenant).subscription(Sk::subscriptions()).pk().clone()
    }

    pub fn account(&self, principal: PrincipalId) -> Pk {
        self.directory.job_scope(Account { tenant: self.tenant, principal }).pk().clone()
    }

    /// A principal's own rows, and its members where it has some.
    pub fn of_principal(&self, principal: PrincipalId) -> [Pk; 2] {
        let scope = self.directory.tenant_scope(self.tenant);
        [scope.principal(principal, Sk::text("p")).pk().clone(), scope.member(principal, Sk::text("m")).pk().clone()]
    }

    /// Audit and traces, day by day; a day more on either side, for clocks differ.
    pub fn logs(&self, from: Timestamp, to: Timestamp) -> Vec<Pk> {
        let scope = self.directory.tenant_scope(self.tenant);
        let mut found = Vec::new();
        for day in from.min(to).seconds().div_euclid(DAY) - 1..=from.max(to).seconds().div_euclid(DAY) + 1 {
            found.push(scope.audit(day, 0).pk().clone());
            found.push(scope.trace(day, Sk::text("x")).pk().clone());
        }
        found
    }

    /// The audit log from the tenant's beginning to now, and the row that says where it ends.
    pub fn audit(&self) -> (Vec<Pk>, Key) {
        let scope = self.directory.tenant_scope(self.tenant);
        let days = self.tenant.time().seconds().div_euclid(DAY) - 1..=self.world.env.now().seconds().div_euclid(DAY) + 1;
        (days.map(|day| scope.audit(day, 0).pk().clone()).collect(), scope.organisation(Sk::text("audit")))
    }

    pub async fn principals(&self) -> Result<BTreeSet<PrincipalId>> {
        let mut found = BTreeSet::new();
        let mut pages = Pages::new(self.organisation());
        while let Some(page) = pages.next(&self.world).await? {
            found.extend(page.iter().filter_map(|(key, row)| named_by(key.sk(), row)));
        }
        Ok(found)
    }

    pub async fn blobs_after(&self, after: Option<&BlobKey>) -> Result<Vec<BlobKey>> {
        Ok(patiently(&self.world.env, || self.world.blobs.list(self.tenant, after)).await?)
    }
}

/// The pages of a partition, without what stays.
pub struct Pages {
    query: Option<Query>,
}

impl Pages {
    pub fn new(pk: Pk) -> Self {
        // No sort key is empty, and none sorts before this one.
        Self { query: Some(Query { pk, from: Sk::from_stored(&[0]), to: None, limit: usize::MAX, reverse: false }) }
    }

    pub async fn next(&mut self, world: &World) -> Result<Option<Vec<(Key, Row)>>> {
        let Some(query) = &mut self.query else { return Ok(None) };
        let page = patiently(&world.env, || world.table.query(query)).await?;
        let pk = query.pk.clone();
        match page.rows.last() {
            Some((last, _)) if page.more => query.from = last.successor(),
            _ => self.query = None,
        }
        let rows = page.rows.into_iter().filter(|(sk, _)| !stays(&pk, sk));
        Ok(Some(rows.map(|(sk, row)| (Key::from_stored(pk.clone(), sk), row)).collect()))
    }
}
