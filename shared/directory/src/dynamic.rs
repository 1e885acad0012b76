//! Groups whose members are those who fit a filter. The filters of a tenant are rows of their own, so which of these groups
//! somebody is in takes one query; the members of one are found by going through the people.

use crate::filter::Filter;
use crate::rows::{Principal, PrincipalKind, principal_of, rest, sk};
use crate::{Directory, Member, MemberKey, access};
use penfold_ports::{Account, Query, Sk};
use penfold_types::{Kind, PrincipalId, Result, TenantId};

impl Directory {
    /// The filter of a group; `None` where it has none that this version can read.
    pub(crate) async fn filter(&self, tenant: TenantId, group: PrincipalId) -> Result<Option<Filter>> {
        let row = self.store().get(&access::organisation(tenant).organisation(sk::filter(group))).await?;
        Ok(row.and_then(|row| Filter::read(row.str("f")?)))
    }

    pub(crate) async fn filters(&self, tenant: TenantId) -> Result<Vec<(PrincipalId, Filter)>> {
        let prefix = Sk::text("filter#");
        let pk = access::organisation(tenant).organisation(prefix.clone()).pk().clone();
        let rows = self.store().query_all(&Query::prefix(pk, &prefix)).await?;
        let read = |(key, row): &(Sk, _)| {
            let row: &penfold_ports::Row = row;
            Some((PrincipalId::from_slice(rest(key, "filter#")?)?, Filter::read(row.str("f")?)?))
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// The dynamic groups that somebody is in. Where a tenant has none, that is one query.
    pub(crate) async fn chosen(&self, tenant: TenantId, principal: PrincipalId) -> Result<Vec<PrincipalId>> {
        let filters = self.filters(tenant).await?;
        if filters.is_empty() {
            return Ok(Vec::new());
        }
        match self.principal_now(Account { tenant, principal }).await {
            Ok(found) => Ok(fitting(&filters, &found)),
            Err(error) if error.kind() == Kind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Whether the members of a group are found by a filter: either it was made so or not.
    pub(crate) async fn is_dynamic(&self, tenant: TenantId, group: PrincipalId) -> Result<bool> {
        match self.principal(Account { tenant, principal: group }).await {
            Ok(found) => Ok(found.group.dynamic),
            Err(error) if error.kind() == Kind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Those of the next `limit` people who fit a group's filter, and where to go on.
    pub(crate) async fn dynamic_page(
        &self,
        tenant: TenantId,
        group: PrincipalId,
        after: Option<&MemberKey>,
        limit: usize,
    ) -> Result<(Vec<(PrincipalId, Principal)>, Option<MemberKey>)> {
        let Some(filter) = self.filter(tenant, group).await? else { return Ok((Vec::new(), None)) };
        let (first, end) = sk::choosable(filter.shared_mailboxes);
        let from = after.filter(|key| key.goes_through_people()).map_or_else(|| first.clone(), |key| key.sk().successor());
        let pk = access::organisation(tenant).organisation(first).pk().clone();
        let page = self.store().query(&Query { pk, from, to: Some(end), limit: limit.clamp(1, 1000), reverse: false }).await?;
        let next = page.rows.last().filter(|_| page.more).map(|(last, _)| MemberKey::at(last));
        let primary = page.rows.iter().filter(|(_, row)| row.u64("al") != Some(1));
        let ids = primary.map(|(_, row)| principal_of(row)).collect::<Result<Vec<_>>>()?;
        let mut found = self.principals_now(tenant, &ids).await?;
        found.retain(|(_, principal)| filter.fits(principal));
        Ok((found, next))
    }

    pub(crate) async fn dynamic_members(
        &self,
        tenant: TenantId,
        group: PrincipalId,
        after: Option<&MemberKey>,
        limit: usize,
    ) -> Result<(Vec<Member>, Option<MemberKey>)> {
        let (found, next) = self.dynamic_page(tenant, group, after, limit).await?;
        Ok((found.into_iter().map(|(id, _)| Member::Mailbox(id)).collect(), next))
    }
}

pub(crate) fn fitting(filters: &[(PrincipalId, Filter)], principal: &Principal) -> Vec<PrincipalId> {
    if principal.kind == PrincipalKind::Group {
        return Vec::new();
    }
    filters.iter().filter(|(_, filter)| filter.fits(principal)).map(|(group, _)| *group).collect()
}
