//! What people, groups and shared mailboxes have in common: an address, a row, a line in the list.

use super::{Operator, Page, Quota};
use crate::access;
use crate::audit::Act;
use crate::rows::{Principal, PrincipalKind, Route, Status, principal_of, sk};
use crate::words;
use penfold_ports::{Account, Key, Name, Query, Row, Sk, Value, When, Write, shared};
use penfold_types::{Address, Domain, Error, PrincipalId, Result, TenantId};

impl Operator {
    /// The principal that has this address, as primary one or as alias.
    pub(super) async fn find(&self, address: &Address) -> Result<(Account, Principal)> {
        let unknown = || Error::not_found(format!("there is no {address}"));
        let row = self.directory.store().get(&shared::route(address)).await?.ok_or_else(unknown)?;
        let route = Route::read(&row)?;
        let account = Account { tenant: route.tenant, principal: route.principal };
        Ok((account, self.directory.principal_now(account).await?))
    }

    pub(super) async fn find_kind(&self, address: &Address, kind: PrincipalKind) -> Result<(Account, Principal)> {
        let (account, principal) = self.find(address).await?;
        if principal.kind != kind {
            return Err(Error::invalid(format!("{address} is a {}, not a {}", principal.kind.words(), kind.words())));
        }
        Ok((account, principal))
    }

    /// Makes a principal with its address; `extra` rows go into the same commit.
    pub(super) async fn create_principal(&self, principal: &Principal, extra: impl FnOnce(Account) -> Vec<Write>) -> Result<Account> {
        let tenant = self.owner_of(principal.address.domain()).await?;
        let account = Account { tenant, principal: PrincipalId::new(self.directory.env()) };
        self.create_principal_as(account, principal, extra(account)).await
    }

    /// The same, of an id that was chosen, in a tenant that has the domain.
    pub(crate) async fn create_principal_as(&self, account: Account, principal: &Principal, extra: Vec<Write>) -> Result<Account> {
        super::check_name(&principal.name)?;
        let (address, tenant) = (&principal.address, account.tenant);
        let route = Route { tenant, principal: account.principal, kind: principal.kind, alias: false };
        let mut writes = self.address_writes(address, &route);
        let mut principal = principal.clone();
        let found_by = principal.index(&access::organisation(tenant), account.principal, &[]);
        writes.push(Write::put_new(self.principal_key(account), principal.row()));
        writes.extend(extra);
        writes.extend(found_by);
        let act = self.act(tenant, act(principal.kind, "create"), &address.to_string(), &principal.name);
        self.commit(writes, act).await.map_err(|refused| refused.explain(|write| new_address_words(address, write)))?;
        Ok(account)
    }

    /// The rows of a new address: in a domain of the tenant, taken by nobody. The domain comes first, so that of another tenant's
    /// nothing else is told.
    pub(super) fn address_writes(&self, address: &Address, route: &Route) -> Vec<Write> {
        let [taken, name] = self.address_rows(address, route);
        vec![self.domain_check(route.tenant, address.domain()), taken, name]
    }

    /// That a domain is a tenant's, and may have addresses.
    pub(super) fn domain_check(&self, tenant: TenantId, domain: &Domain) -> Write {
        let ours = vec![("t".into(), tenant.as_bytes().into()), ("st".into(), Status::Active.number().into())];
        Write::Check { key: shared::domain(domain), when: When::Equal(ours) }
    }

    pub(super) fn address_rows(&self, address: &Address, route: &Route) -> [Write; 2] {
        let mut name = Row::new().with("p", route.principal.as_bytes());
        if route.alias {
            name.set("al", true);
        }
        let line = access::organisation(route.tenant).organisation(sk::name(route.kind, address));
        [Write::put_new(shared::route(address), route.row()), Write::put(line, name)]
    }

    pub(super) fn principal_key(&self, account: Account) -> Key {
        access::organisation(account.tenant).principal(account.principal, sk::principal())
    }

    /// Changes a principal, with its audit row.
    pub(super) async fn update_principal_with(&self, account: Account, writes: Vec<Write>, act: Act) -> Result<()> {
        self.commit(writes, act).await?;
        self.directory.forget_principal(account);
        Ok(())
    }

    /// The write that changes a principal's row and moves its revision, where it is still as it was read.
    pub(super) fn principal_update(
        &self,
        account: Account,
        before: &Principal,
        mut set: Vec<(Name, Value)>,
        remove: Vec<Name>,
    ) -> Result<Write> {
        self.expects(before.revision)?;
        set.push(("rv".into(), before.revision.saturating_add(1).into()));
        let mut still = vec![("lv".into(), 1u64.into()), ("k".into(), before.kind.number().into())];
        // A row of an older version has none.
        if before.revision > 0 {
            still.push(("rv".into(), before.revision.into()));
        }
        // Aliases change words too, and are no change of the revision.
        if let Some(words) = before.words.as_ref().filter(|_| set.iter().any(|(name, _)| name.as_str() == "wd")) {
            still.push(("wd".into(), words.as_str().into()));
        }
        Ok(Write::Update { key: self.principal_key(account), set, remove, when: When::Equal(still) })
    }

    /// The rows of the words that somebody is found by from now on, where those change; `set` then also says it in their own row.
    pub(super) async fn reword(
        &self,
        account: Account,
        before: &Principal,
        after: &Principal,
        set: &mut Vec<(Name, Value)>,
    ) -> Result<Vec<Write>> {
        if before.words.is_some() && before.own_words(&[]) == after.own_words(&[]) {
            return Ok(Vec::new());
        }
        let aliases = self.aliases(account).await?;
        let (scope, kind) = (access::organisation(account.tenant), before.kind.number());
        let change = words::change(&scope, account.principal, kind, before.words.as_deref(), &after.own_words(&aliases));
        set.push(("wd".into(), change.stored.into()));
        Ok(change.writes)
    }

    /// Refuses where the caller saw another revision.
    pub(crate) fn expects(&self, revision: u64) -> Result<()> {
        match self.expected {
            Some(expected) if expected != revision => Err(Error::conflict("it was changed since; read it again")),
            _ => Ok(()),
        }
    }

    /// A page of one kind, by primary address.
    pub(crate) async fn list_principals(
        &self,
        tenant: TenantId,
        kind: PrincipalKind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<(PrincipalId, Principal)>> {
        let prefix = sk::names(kind);
        let mut query = Query::prefix(access::organisation(tenant).organisation(prefix.clone()).pk().clone(), &prefix);
        query.limit = limit.clamp(1, 1000);
        if let Some(after) = after.filter(|after| after.as_bytes().starts_with(prefix.as_bytes())) {
            query.from = Sk::text(after).successor();
        }
        let page = self.directory.store().query(&query).await?;
        let next = page.rows.last().filter(|_| page.more).and_then(|(key, _)| String::from_utf8(key.as_bytes().to_vec()).ok());
        let primary = page.rows.iter().filter(|(_, row)| row.u64("al") != Some(1));
        let ids = primary.map(|(_, row)| principal_of(row)).collect::<Result<Vec<_>>>()?;
        Ok(Page { items: self.directory.principals_now(tenant, &ids).await?, next })
    }
}

/// Moves the `v` of a row that was read: of two who did that, one is done.
pub(super) fn moved(key: Key, before: Option<u64>) -> Write {
    match before {
        None => Write::put_new(key, Row::new().with("v", 1u64)),
        Some(version) => {
            let set = vec![("v".into(), version.wrapping_add(1).into())];
            Write::Update { key, set, remove: vec![], when: When::Equal(vec![("v".into(), version.into())]) }
        }
    }
}

/// The changes that a quota means.
pub(super) fn quota_change(quota: Option<Quota>, set: &mut Vec<(Name, Value)>, remove: &mut Vec<Name>) {
    match quota {
        Some(Quota::Bytes(bytes)) => set.push(("q".into(), bytes.into())),
        Some(Quota::Default) => remove.push("q".into()),
        None => {}
    }
}

/// What a failed write of [`Operator::address_writes`] means.
pub(super) fn new_address_words(address: &Address, write: usize) -> Error {
    address_words(address, if write < 2 { 1 - write } else { write })
}

/// What is wrong with an address: 0, it is taken; 1, its domain is not the tenant's.
pub(super) fn address_words(address: &Address, write: usize) -> Error {
    match write {
        0 => Error::conflict(format!("the address {address} is taken")),
        1 => Error::conflict(format!("the domain {} is not one of this tenant", address.domain())),
        _ => Error::conflict("changed by somebody else meanwhile; try again"),
    }
}

pub(super) fn act(kind: PrincipalKind, verb: &str) -> &'static str {
    match (kind, verb) {
        (PrincipalKind::Person, "create") => "person.create",
        (PrincipalKind::Person, "delete") => "person.delete",
        (PrincipalKind::Person, _) => "person.update",
        (PrincipalKind::Group, "create") => "group.create",
        (PrincipalKind::Group, "delete") => "group.delete",
        (PrincipalKind::Group, _) => "group.update",
        (PrincipalKind::Shared, "create") => "shared.create",
        (PrincipalKind::Shared, "delete") => "shared.delete",
        (PrincipalKind::Shared, _) => "shared.update",
    }
}
