//! People by the thousand, as an import makes them: several in a commit, each with an outcome of their own.

use super::passwords::check_password;
use super::principals::{act, address_words};
use super::{NewPerson, Operator, PersonChange};
use crate::access;
use crate::audit::Act;
use crate::rows::{Principal, PrincipalKind, Route, Status, sk};
use crate::store::Refused;
use penfold_ports::{Account, Row, Write, limits, shared};
use penfold_types::{Address, Domain, Error, Kind, PrincipalId, Result, TenantId};
use std::collections::{BTreeMap, BTreeSet};

/// A person to be made. Under the same id they are made once, however often that is tried.
#[derive(Debug, Clone)]
pub struct OneOfMany {
    pub id: PrincipalId,
    pub person: NewPerson,
    pub aliases: Vec<Address>,
    /// What else is not as with everybody: status, sent copy, recovery address, attributes; who manages them comes later.
    pub change: PersonChange,
}

/// What makes one of them.
struct Ready {
    at: usize,
    id: PrincipalId,
    writes: Vec<Write>,
    /// The address that each write is about.
    about: Vec<Address>,
    act: Act,
}

impl Operator {
    /// Makes people of a tenant. An error of one is in their place; one of all of them is the answer.
    pub async fn create_people(&self, tenant: TenantId, new: &[OneOfMany]) -> Result<Vec<Result<PrincipalId>>> {
        let taken = self.taken(new).await?;
        let (mut domains, mut seen, mut ready) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        let mut outcomes: Vec<Result<PrincipalId>> = new.iter().map(|one| Ok(one.id)).collect();
        for (at, one) in new.iter().enumerate() {
            let addresses: Vec<_> = std::iter::once(&one.person.address).chain(&one.aliases).collect();
            if taken.get(&one.person.address.key()) == Some(&one.id) {
                continue;
            }
            // First of all the domain: whether an address of another tenant is taken is not told.
            let prepared = match self.own_domains(tenant, &addresses, &mut domains).await {
                Err(error) => Err(error),
                Ok(()) => match addresses.iter().find(|address| taken.contains_key(&address.key()) || seen.contains(&address.key())) {
                    Some(address) => Err(address_words(address, 0)),
                    None => self.prepare(tenant, at, one).await,
                },
            };
            match (prepared, outcomes.get_mut(at)) {
                (Ok(one), _) => {
                    seen.extend(addresses.iter().map(|address| address.key()));
                    ready.push(one);
                }
                (Err(error), _) if matches!(error.kind(), Kind::Retry | Kind::Broken) => return Err(error),
                (Err(error), Some(outcome)) => *outcome = Err(error),
                (Err(_), None) => {}
            }
        }
        while !ready.is_empty() {
            let (mut writes, mut domains, mut some) = (0, BTreeSet::new(), Vec::new());
            while let Some(next) = ready.last() {
                let more: Vec<_> = next.about.iter().map(|address| address.domain().clone()).collect();
                let all = domains.iter().chain(&more).collect::<BTreeSet<_>>().len();
                // With its note, the checks of the domains, and the end of the log.
                let count = writes + next.writes.len() + 1 + all + 1;
                if count > limits::WRITES && !some.is_empty() {
                    break;
                }
                writes += next.writes.len() + 1;
                domains.extend(more);
                some.extend(ready.pop());
            }
            for (at, outcome) in self.make(tenant, some).await? {
                if let Some(place) = outcomes.get_mut(at) {
                    *place = Err(outcome);
                }
            }
        }
        Ok(outcomes)
    }

    /// Whose the addresses are that are somebody's already.
    async fn taken(&self, new: &[OneOfMany]) -> Result<BTreeMap<String, PrincipalId>> {
        let addresses: BTreeMap<_, _> =
            new.iter().flat_map(|one| std::iter::once(&one.person.address).chain(&one.aliases)).map(|one| (one.key(), one)).collect();
        let keys: Vec<_> = addresses.values().map(|address| shared::route(address)).collect();
        let rows = self.directory.store().batch_get(&keys).await?;
        let found = addresses.into_keys().zip(rows).filter_map(|(key, row)| Some(Route::read(&row?).map(|route| (key, route.principal))));
        found.collect()
    }

    async fn own_domains(&self, tenant: TenantId, addresses: &[&Address], known: &mut BTreeMap<Domain, Result<()>>) -> Result<()> {
        for address in addresses {
            let domain = address.domain();
            if !known.contains_key(domain) {
                known.insert(domain.clone(), self.address_domain(tenant, domain).await);
            }
            if let Some(Err(error)) = known.get(domain) {
                return Err(error.clone());
            }
        }
        Ok(())
    }

    async fn prepare(&self, tenant: TenantId, at: usize, one: &OneOfMany) -> Result<Ready> {
        let OneOfMany { id, person: new, aliases, change } = one;
        super::check_name(&new.name)?;
        if let Some((attribute, words)) = change.profile.wrong() {
            return Err(Error::invalid(format!("{}: {words}", attribute.as_str())));
        }
        let scope = access::organisation(tenant);
        let account = Account { tenant, principal: *id };
        let created = self.directory.env().now();
        let begin = Principal::new(PrincipalKind::Person, &new.address, &new.name, created);
        let mut person = Principal {
            quota: new.quota,
            status: change.status.filter(|status| *status != Status::Deleting).unwrap_or(begin.status),
            sent_copy: change.sent_copy.unwrap_or(begin.sent_copy),
            recovery: change.recovery.clone().flatten(),
            profile: begin.profile.with(&change.profile),
            ..begin
        };
        let route = Route { tenant, principal: *id, kind: PrincipalKind::Person, alias: false };
        let mut writes = self.address_rows(&new.address, &route).to_vec();
        writes.extend(person.index(&scope, *id, aliases));
        writes.push(Write::put_new(self.principal_key(account), person.row()));
        if let Some(password) = &new.password {
            check_password(password)?;
            let hash = self.directory.hash_password(password).await?;
            writes.push(Write::put(scope.principal(*id, sk::password()), Row::new().with("h", hash)));
        }
        let mut about = vec![new.address.clone(); writes.len()];
        for alias in aliases {
            writes.extend(self.address_rows(alias, &Route { alias: true, ..route }));
            writes.push(Write::put(scope.principal(*id, sk::alias(alias)), Row::new().with("a", alias.to_string())));
            about.resize(writes.len(), alias.clone());
        }
        let act = self.act(tenant, act(PrincipalKind::Person, "create"), &new.address.to_string(), &new.name);
        Ok(Ready { at, id: *id, writes, about, act })
    }

    /// One commit; who stands in its way is left out, and the others are made without them.
    async fn make(&self, tenant: TenantId, mut some: Vec<Ready>) -> Result<Vec<(usize, Error)>> {
        let mut refused = Vec::new();
        while !some.is_empty() {
            let domains: BTreeMap<_, _> =
                some.iter().flat_map(|one| &one.about).map(|address| (address.domain().clone(), address.clone())).collect();
            let checks = domains.len();
            let mut writes: Vec<_> = domains.keys().map(|domain| self.domain_check(tenant, domain)).collect();
            writes.extend(some.iter().flat_map(|one| one.writes.iter().cloned()));
            let acts: Vec<_> = some.iter().map(|one| one.act.clone()).collect();
            let failed = match self.commit_all(writes, &acts).await {
                Ok(()) => return Ok(refused),
                Err(Refused::Condition(failed)) => failed,
                Err(Refused::Other(error)) => return Err(error),
            };
            let whose = |one: &Ready| match failed.checked_sub(checks) {
                // A domain that went away takes with it whoever wanted to be in it.
                None => one.about.iter().find(|address| domains.keys().nth(failed) == Some(address.domain())).cloned(),
                Some(_) => None,
            };
            let mut first = checks;
            let mut left = Vec::with_capacity(some.len());
            for one in some {
                let within = failed.checked_sub(first).and_then(|at| one.about.get(at)).cloned();
                first += one.writes.len();
                match (whose(&one), within) {
                    (Some(address), _) => refused.push((one.at, address_words(&address, 1))),
                    // An answer was lost, and it was made then.
                    (None, Some(address)) if self.is_of(&address, one.id).await? => {}
                    (None, Some(address)) => refused.push((one.at, address_words(&address, 0))),
                    (None, None) => left.push(one),
                }
            }
            some = left;
        }
        Ok(refused)
    }

    async fn is_of(&self, address: &Address, id: PrincipalId) -> Result<bool> {
        let row = self.directory.store().get(&shared::route(address)).await?;
        Ok(row.map(|row| Route::read(&row)).transpose()?.is_some_and(|route| route.principal == id))
    }
}
