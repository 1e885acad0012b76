//! Folders that somebody opened to others. What each may do is in the rows of the owner's account; here is, beside whoever it was
//! granted to, a row that says whose folders they may find (decision 31). Without that row nothing is open, whatever the account's
//! rows say: so whoever is deleted, or loses the last right, has none that could come back.

use crate::audit::Act;
use crate::rows::{Principal, PrincipalKind, Route, Status, alive, sk};
use crate::{Directory, SignedIn, access};
use penfold_ports::{Account, Grantee, Ground, Key, Rights, Row, Scope, When, Write, shared};
use penfold_types::{Address, Error, FolderId, Modseq, PrincipalId, Result, TenantId};
use std::collections::BTreeSet;
use tokio::sync::MutexGuard;

/// What everybody of a tenant is called (RFC 4314 §2).
pub const ANYONE: &str = "anyone";

/// Somebody to whom a folder can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GranteeInfo {
    pub to: Grantee,
    /// `None`: everybody.
    pub who: Option<(PrincipalKind, Address)>,
    pub name: String,
    /// Since which commit of the owner's account something has been open to them without a break; `None` where nothing is.
    pub since: Option<Modseq>,
}

impl GranteeInfo {
    /// The address, or `anyone`.
    pub fn identifier(&self) -> String {
        self.who.as_ref().map_or_else(|| ANYONE.to_owned(), |(_, address)| address.to_string())
    }
}

/// A change of what is open to somebody.
#[derive(Debug, Clone, Copy)]
pub struct Granting<'a> {
    /// As they are known before it.
    pub grantee: &'a GranteeInfo,
    /// Something is open to them afterwards.
    pub keeps: bool,
    /// The commit of the owner's account that it goes with.
    pub since: Modseq,
    pub folder: FolderId,
    /// What they may do in the folder afterwards.
    pub rights: Rights,
    pub actor: &'a str,
}

pub(crate) fn nothing_open() -> Error {
    Error::not_found("there is no such mailbox")
}

fn index(owner: Account, to: Grantee) -> Key {
    let scope = access::organisation(owner.tenant);
    match to {
        Grantee::Anyone => scope.organisation(sk::open_to_anyone(owner.principal)),
        Grantee::Principal(id) => scope.principal(id, sk::open_to(owner.principal)),
    }
}

pub(crate) fn since(row: &Row) -> Option<Modseq> {
    row.u64("v").map(Modseq)
}

impl Directory {
    /// Who is meant by `anyone`, or by the address of a person or group of the tenant. Whether an address is somebody else's is not
    /// told.
    pub async fn grantee(&self, tenant: TenantId, identifier: &str) -> Result<Grantee> {
        let unknown = || Error::not_found("there is no such person or group");
        if identifier.eq_ignore_ascii_case(ANYONE) {
            return Ok(Grantee::Anyone);
        }
        let address: Address = identifier.parse().map_err(|_| unknown())?;
        let row = self.store().get(&shared::route(&address)).await?.ok_or_else(unknown)?;
        let route = Route::read(&row)?;
        if route.tenant != tenant || route.kind == PrincipalKind::Shared {
            return Err(unknown());
        }
        Ok(Grantee::Principal(route.principal))
    }

    /// Those of a list who are there, in its order.
    pub async fn grantees(&self, owner: Account, list: &[Grantee]) -> Result<Vec<Option<GranteeInfo>>> {
        let scope = access::organisation(owner.tenant);
        let principal = |to: &Grantee| match to {
            Grantee::Anyone => None,
            Grantee::Principal(id) => Some(scope.principal(*id, sk::principal())),
        };
        let keys: Vec<Key> = list.iter().filter_map(principal).collect();
        let mut principals = self.store().batch_get(&keys).await?.into_iter();
        let indexes: Vec<Key> = list.iter().map(|to| index(owner, *to)).collect();
        let mut out = Vec::with_capacity(list.len());
        for (to, row) in list.iter().zip(self.store().batch_get(&indexes).await?) {
            let since = row.as_ref().and_then(since);
            let info = match to {
                Grantee::Anyone => Some(GranteeInfo { to: *to, who: None, name: String::new(), since }),
                Grantee::Principal(_) => match principals.next().flatten().map(|row| Principal::read(&row)).transpose()? {
                    Some(own) if own.status != Status::Deleting => {
                        Some(GranteeInfo { to: *to, who: Some((own.kind, own.address)), name: own.name, since })
                    }
                    _ => None,
                },
            };
            out.push(info);
        }
        Ok(out)
    }

    /// What goes into the commit of the owner's account that changes a folder's rights: that all are there, the rows by which the
    /// grantees find the owner, and those of the audit log. A condition that fails means: read again.
    pub async fn granting(&self, owner: Account, all: &[Granting<'_>]) -> Result<Vec<Write>> {
        let scope = access::organisation(owner.tenant);
        let mut writes = vec![Write::Check { key: scope.principal(owner.principal, sk::principal()), when: alive(None) }];
        let target = self.principal_now(owner).await?.address.to_string();
        let mut acts = Vec::with_capacity(all.len());
        for granting in all {
            let to = granting.grantee.to;
            if let (Grantee::Principal(id), true) = (to, granting.keeps) {
                writes.push(Write::Check { key: scope.principal(id, sk::principal()), when: alive(None) });
            }
            let key = index(owner, to);
            let as_known = |since: Modseq| When::Equal(vec![("v".into(), since.get().into())]);
            match (granting.keeps, granting.grantee.since) {
                (true, None) => writes.push(Write::put_new(key, Row::new().with("v", granting.since.get()))),
                (true, Some(since)) => writes.push(Write::Check { key, when: as_known(since) }),
                (false, Some(since)) => writes.push(Write::Delete { key, when: as_known(since) }),
                (false, None) => {}
            }
            let (who, letters) = (granting.grantee.identifier(), granting.rights);
            let letters = if letters.is_none() { "none".to_owned() } else { letters.to_string() };
            let detail = format!("folder {}, {who}: {letters}", granting.folder);
            let (tenant, actor, target) = (owner.tenant, granting.actor.to_owned(), target.clone());
            acts.push(Act { tenant, actor, act: "folder.rights", target, detail, first: false });
        }
        writes.extend(self.chain(&acts).await?);
        Ok(writes)
    }

    /// Held while [`Directory::granting`] is asked for and its writes are committed: whoever notes something of the same tenant in this
    /// process waits for it, instead of failing a condition.
    pub async fn noting(&self, tenant: TenantId) -> Option<MutexGuard<'_, ()>> {
        // Some tenants share one.
        let stripe = self.inner.noting.get(usize::from(tenant.as_bytes()[15]) % self.inner.noting.len());
        match stripe {
            Some(stripe) => Some(stripe.lock().await),
            None => None,
        }
    }

    /// Nothing of an account that is being destroyed is open to them any more.
    pub fn closed_to(&self, owner: Account, to: Grantee) -> Write {
        Write::delete(index(owner, to))
    }

    /// Everybody as whom somebody was granted something: themselves, the groups they are in, and at last everybody.
    pub(crate) async fn as_whom(&self, tenant: TenantId, viewer: PrincipalId) -> Result<Vec<Grantee>> {
        let groups = self.groups_above(tenant, viewer).await?;
        let named = std::iter::once(viewer).chain(groups).map(Grantee::Principal);
        Ok(named.chain([Grantee::Anyone]).collect())
    }

    /// The right to those folders of somebody's mailbox that were opened to this person, read anew at each use: what is open is in
    /// the folders' own rows. `NotFound` where there is none, whatever the reason.
    pub async fn open_folders(&self, who: &SignedIn, owner: PrincipalId) -> Result<Scope> {
        let (tenant, viewer) = (who.scope.tenant(), who.scope.viewer());
        let owner = Account { tenant, principal: owner };
        let ids = self.as_whom(tenant, viewer).await?;
        let keys: Vec<Key> = ids.iter().map(|to| index(owner, *to)).collect();
        let rows = self.store().batch_get(&keys).await?;
        let found = ids.into_iter().zip(rows).filter_map(|(to, row)| Some(Ground { to, since: since(&row?)? }));
        let found: Vec<Ground> = found.collect();
        // A group, or an owner, that is being deleted opens nothing from the first moment on.
        let mut others: Vec<PrincipalId> = found.iter().filter_map(|ground| named(ground.to)).filter(|id| *id != viewer).collect();
        others.push(owner.principal);
        let there: BTreeSet<PrincipalId> = if found.is_empty() { BTreeSet::new() } else { self.alive(tenant, &others).await? };
        let grounds: Vec<Ground> =
            found.into_iter().filter(|ground| named(ground.to).is_none_or(|id| id == viewer || there.contains(&id))).collect();
        if grounds.is_empty() || owner.principal == viewer || !there.contains(&owner.principal) {
            return Err(nothing_open());
        }
        Ok(access::folders(owner, viewer, &grounds, who.scope.rights()))
    }

    /// Notes in the audit log that somebody opens folders of another's mailbox: once a day for each.
    pub async fn note_visit(&self, who: &SignedIn, owner: PrincipalId) -> Result<()> {
        let (tenant, viewer) = (who.scope.tenant(), who.scope.viewer());
        let (scope, today) = (access::organisation(tenant), self.env().now().seconds().div_euclid(86_400).unsigned_abs());
        let key = scope.principal(viewer, sk::visit(owner));
        if self.store().get(&key).await?.is_some_and(|row| row.u64("d") == Some(today)) {
            return Ok(());
        }
        let target = self.principal_now(Account { tenant, principal: owner }).await?.address.to_string();
        let detail = "by the rights to its folders".to_owned();
        let act = Act { tenant, actor: who.address.to_string(), act: "mailbox.open", target, detail, first: false };
        let writes = vec![
            Write::Check { key: scope.principal(viewer, sk::principal()), when: alive(None) },
            Write::Update { key, set: vec![("d".into(), today.into())], remove: vec![], when: When::Always },
        ];
        Ok(self.commit_noted(writes, &[act]).await?)
    }

    async fn alive(&self, tenant: TenantId, ids: &[PrincipalId]) -> Result<BTreeSet<PrincipalId>> {
        let found = self.principals_now(tenant, ids).await?.into_iter();
        Ok(found.filter(|(_, principal)| principal.status != Status::Deleting).map(|(id, _)| id).collect())
    }
}

/// Whoever is meant by name.
pub(crate) fn named(to: Grantee) -> Option<PrincipalId> {
    match to {
        Grantee::Anyone => None,
        Grantee::Principal(id) => Some(id),
    }
}
