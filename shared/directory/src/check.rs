//! Proves that the directory's rows agree with one another: every listed name leads back to its principal, every member
//! is somebody and knows of it.

use crate::claims::is_proved;
use crate::groups::read_member;
use crate::rows::{Principal, PrincipalKind, Route, Status, principal_of, sk, tenant_of};
use crate::{Directory, Member, access, words};
use penfold_ports::{Account, Query, shared};
use penfold_types::{Address, PrincipalId, Result, TenantId};
use std::collections::{BTreeMap, BTreeSet};

impl Directory {
    /// One sentence for each problem. Mail for an address with a problem may go wrong; nothing is repaired here.
    pub async fn check(&self) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        for tenant in self.every_tenant().await? {
            if let Err(error) = self.data_key(tenant).await {
                problems.push(format!("the tenant {tenant} has no usable data key: {error}"));
            }
            for kind in PrincipalKind::ALL {
                self.check_kind(tenant, kind, &mut problems).await?;
            }
            self.check_words(tenant, &mut problems).await?;
        }
        Ok(problems)
    }

    async fn check_kind(&self, tenant: TenantId, kind: PrincipalKind, problems: &mut Vec<String>) -> Result<()> {
        let prefix = sk::names(kind);
        let pk = access::organisation(tenant).organisation(prefix.clone()).pk().clone();
        for (key, row) in self.store().query_all(&Query::prefix(pk, &prefix)).await? {
            let (Some(address), Ok(id)) = (listed_address(key.as_bytes()), principal_of(&row)) else {
                problems.push(format!("the row {key:?} of the tenant {tenant} cannot be read"));
                continue;
            };
            let alias = row.u64("al") == Some(1);
            let wanted = Route { tenant, principal: id, kind, alias };
            let route = self.store().get(&shared::route(&address)).await?.and_then(|row| Route::read(&row).ok());
            if route != Some(wanted) {
                problems.push(format!("{address} is listed for {id} and leads elsewhere"));
            }
            let row = self.store().get(&shared::domain(address.domain())).await?.filter(is_proved);
            let domain = row.and_then(|row| tenant_of(&row).ok());
            if domain != Some(tenant) {
                problems.push(format!("{address} is in a domain that the tenant does not have"));
            }
            let key = access::organisation(tenant).principal(id, sk::principal());
            let principal = self.store().get(&key).await?.and_then(|row| Principal::read(&row).ok());
            if principal.is_none_or(|own| own.kind != kind || (!alias && own.address != address)) {
                problems.push(format!("{address} leads to {id}, which is not there or is not its owner"));
            }
            if !alias && kind == PrincipalKind::Group {
                let dynamic = self.store().get(&key).await?.is_some_and(|row| row.u64("dy") == Some(1));
                if dynamic != self.filter(tenant, id).await?.is_some() {
                    problems.push(format!("{address} has no filter that can be read, or one that does not count"));
                }
            }
            if !alias && kind == PrincipalKind::Group && self.groups_above(tenant, id).await?.contains(&id) {
                problems.push(format!("{address} is a member of itself, through others"));
            }
            if !alias && kind != PrincipalKind::Person {
                self.check_members(Account { tenant, principal: id }, kind, &address, problems).await?;
            }
        }
        Ok(())
    }

    /// That everybody has the rows of their words, and that there are no others.
    async fn check_words(&self, tenant: TenantId, problems: &mut Vec<String>) -> Result<()> {
        let prefix = words::begins("");
        let pk = access::organisation(tenant).organisation(prefix.clone()).pk().clone();
        let mut there: BTreeMap<PrincipalId, BTreeSet<String>> = BTreeMap::new();
        for (key, _) in self.store().query_all(&Query::prefix(pk, &prefix)).await? {
            match (words::entry_of(&key), words::word_of(&key)) {
                (Some(id), Some(word)) => there.entry(id).or_default().insert(word.to_owned()),
                _ => continue,
            };
        }
        let mut compare = |id: PrincipalId, stored: Option<&str>, wanted: BTreeSet<String>| {
            // What an older version wrote has its words later.
            if there.remove(&id).unwrap_or_default() != wanted && stored.is_some() {
                problems.push(format!("{id} of the tenant {tenant} is not found by its words, or by others"));
            }
        };
        for kind in PrincipalKind::ALL {
            for some in self.names(tenant, kind).await?.chunks(100) {
                for (id, own) in self.principals_now(tenant, some).await? {
                    let aliases = self.addresses(Account { tenant, principal: id }).await?.split_off(1);
                    let wanted = if own.status == Status::Deleting { BTreeSet::new() } else { own.own_words(&aliases) };
                    compare(id, own.words.as_deref(), wanted);
                }
            }
        }
        let mut after = None;
        loop {
            let (contacts, next) = self.operator().contacts(tenant, after.as_deref(), 1000).await?;
            for (id, contact) in contacts {
                compare(id, contact.words.as_deref(), contact.own_words());
            }
            if next.is_none() {
                break;
            }
            after = next;
        }
        problems.extend(there.keys().map(|id| format!("{id} of the tenant {tenant} is found by words and is not there")));
        Ok(())
    }

    async fn check_members(&self, account: Account, kind: PrincipalKind, address: &Address, problems: &mut Vec<String>) -> Result<()> {
        let (scope, mut after) = (access::organisation(account.tenant), None);
        loop {
            let (rows, next) = self.member_rows(account.tenant, account.principal, after.as_ref(), 500).await?;
            let inside: Vec<PrincipalId> = rows
                .iter()
                .filter_map(|(key, row)| match read_member(key, row)?.0 {
                    Member::Mailbox(id) | Member::Group(id) => Some(id),
                    Member::Outside(_) => None,
                })
                .collect();
            let keys: Vec<_> = inside.iter().map(|id| scope.principal(*id, sk::membership(kind, account.principal))).collect();
            for (id, row) in inside.iter().zip(self.store().batch_get(&keys).await?) {
                if row.is_none() {
                    problems.push(format!("{id} is a member of {address} and does not know of it"));
                }
            }
            match next {
                Some(key) => after = Some(key),
                None => return Ok(()),
            }
        }
    }
}

/// The address in `name#kind#domain#local`.
pub(crate) fn listed_address(key: &[u8]) -> Option<Address> {
    let mut parts = std::str::from_utf8(key).ok()?.splitn(4, '#').skip(2);
    let (domain, local) = (parts.next()?, parts.next()?);
    let plain = format!("{local}@{domain}").parse();
    plain.or_else(|_| format!("\"{}\"@{domain}", local.replace('\\', "\\\\").replace('"', "\\\"")).parse()).ok()
}
