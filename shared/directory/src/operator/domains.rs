//! Domains of tenants. One that the operator adds counts as proved; one that is only claimed waits for its proof in the tenant's
//! own rows, for a week, whatever others have of it.

use super::principals::moved;
use super::{DomainInfo, Operator};
use crate::access;
use crate::claims::{CLAIMS, Claim, is_proved};
use crate::rows::{PrincipalKind, Status, read_time, rest, sk, tenant_of, time};
use crate::store::Refused;
use bytes::Bytes;
use penfold_ports::{Query, Row, Sk, When, Write, shared};
use penfold_types::{Domain, Error, Kind, Result, TenantId};

impl Operator {
    /// A domain of which the operator knows whose it is, or whose proof was just seen.
    pub async fn create_domain(&self, tenant: &str, domain: &Domain) -> Result<()> {
        let tenant = self.tenant(tenant).await?.id;
        let claim = access::organisation(tenant).organisation(sk::claim(domain));
        let act = self.act(tenant, "domain.create", domain.as_str(), "");
        let taken = || Error::conflict(format!("the domain {domain} is taken"));
        self.own(tenant, domain, Write::delete(claim), act, taken).await
    }

    /// A domain that a tenant says is its own. Nothing can be done with it until [`Operator::mark_proved`]. Whether somebody else
    /// has it makes no difference.
    pub async fn claim_domain(&self, tenant: &str, domain: &Domain) -> Result<()> {
        let tenant = self.tenant(tenant).await?;
        let (scope, now) = (access::organisation(tenant.id), self.directory.env().now());
        if let Some(claim) = self.directory.claim(tenant.id, domain).await? {
            return Err(Error::conflict(match claim.proved {
                true => format!("{domain} is a domain of {} already", tenant.name),
                false => format!("{domain} is claimed by {} already; prove it: penfold domain prove {domain}", tenant.name),
            }));
        }
        let count = scope.organisation(sk::claims());
        let before = self.directory.store().get(&count).await?.and_then(|row| row.u64("v"));
        let claims = self.directory.claims(tenant.id).await?;
        if claims.iter().filter(|(_, claim)| now < claim.lapses()).count() >= CLAIMS {
            return Err(Error::limit(format!("{CLAIMS} domains wait for their proof; prove or remove some first")));
        }
        let lapsed = claims.into_iter().find(|(name, _)| name == domain).map(|(_, claim)| claim);
        let when = lapsed.map_or(When::Absent, |claim| When::Equal(vec![("n".into(), claim.nonce.into())]));
        let row = Row::new().with("at", time(now)).with("n", self.nonce());
        let writes = vec![
            Write::Put { key: scope.organisation(sk::claim(domain)), row, when },
            Write::Check { key: scope.organisation(sk::tenant()), when: active() },
            moved(count, before),
        ];
        let words = |write| match write {
            1 => Error::conflict(format!("the tenant {} is not active", tenant.name)),
            _ => Error::conflict("changed by somebody else meanwhile; try again"),
        };
        let act = self.act(tenant.id, "domain.claim", domain.as_str(), "");
        self.commit(writes, act).await.map_err(|refused| refused.explain(words))
    }

    /// The proof was seen, or the operator vouches for it. A domain that is proved to another tenant stays there: whoever has
    /// shown that it is theirs may know that.
    pub async fn mark_proved(&self, tenant: TenantId, domain: &Domain, detail: &str) -> Result<()> {
        let waiting = self.directory.claim(tenant, domain).await?.filter(|claim| !claim.proved);
        let waits = || Error::conflict(format!("{domain} is not waiting for a proof of this tenant"));
        let same = When::Equal(vec![("n".into(), waiting.ok_or_else(waits)?.nonce.into())]);
        let claim = Write::Delete { key: access::organisation(tenant).organisation(sk::claim(domain)), when: same };
        let act = self.act(tenant, "domain.prove", domain.as_str(), detail);
        self.own(tenant, domain, claim, act, || served_elsewhere(domain)).await
    }

    /// Makes the row by which everybody finds a domain's tenant, where there is none.
    async fn own(
        &self,
        tenant: TenantId,
        domain: &Domain,
        claim: Write,
        act: crate::audit::Act,
        taken: impl FnOnce() -> Error,
    ) -> Result<()> {
        let (scope, now) = (access::organisation(tenant), self.directory.env().now());
        let row = Row::new().with("t", tenant.as_bytes()).with("st", Status::Active.number()).with("at", time(now));
        let (when, left) = self.unproved(domain, tenant).await?;
        let mut writes = vec![
            Write::Put { key: shared::domain(domain), row, when },
            Write::Check { key: scope.organisation(sk::tenant()), when: active() },
            Write::put(scope.organisation(sk::domain(domain)), Row::new().with("at", time(now))),
            claim,
        ];
        writes.extend(left);
        let words = |write| match write {
            0 => taken(),
            1 => Error::conflict("the tenant is not active"),
            _ => Error::conflict("changed by somebody else meanwhile; try again"),
        };
        self.commit(writes, act).await.map_err(|refused| refused.explain(words))
    }

    /// What may be in the place of a domain's row: nothing, or an older version's claim, of which the row in its tenant goes too.
    async fn unproved(&self, domain: &Domain, but: TenantId) -> Result<(When, Option<Write>)> {
        let Some(row) = self.directory.store().get(&shared::domain(domain)).await?.filter(|row| !is_proved(row)) else {
            return Ok((When::Absent, None));
        };
        let whose = tenant_of(&row)?;
        let left = (whose != but).then(|| Write::delete(access::organisation(whose).organisation(sk::domain(domain))));
        Ok((old_claim(whose), left))
    }

    /// Claims for which an older version wrote the row that everybody finds, made the tenant's own; for upkeep.
    async fn own_old_claims(&self, tenant: TenantId) -> Result<()> {
        let (prefix, scope, store) = (Sk::text("domain#"), access::organisation(tenant), self.directory.store());
        let rows = store.query_all(&Query::prefix(scope.organisation(prefix.clone()).pk().clone(), &prefix)).await?;
        let domains: Vec<Domain> = rows.iter().filter_map(|(key, _)| domain_of(key)).collect();
        let keys: Vec<_> = domains.iter().map(shared::domain).collect();
        for (domain, row) in domains.iter().zip(store.batch_get(&keys).await?) {
            let Some(row) = row.filter(|row| !is_proved(row)) else { continue };
            if tenant_of(&row)? != tenant {
                continue;
            }
            let mut writes = vec![Write::Delete { key: shared::domain(domain), when: old_claim(tenant) }];
            writes.push(Write::delete(scope.organisation(sk::domain(domain))));
            let key = scope.organisation(sk::claim(domain));
            // It may have been claimed anew meanwhile.
            if store.get(&key).await?.is_none() {
                let nonce = row.bytes("n").cloned().unwrap_or_default();
                writes.push(Write::put_new(key, Row::new().with("at", time(read_time(&row))).with("n", nonce)));
            }
            match store.commit(writes).await {
                Err(Refused::Condition(_)) | Ok(()) => {}
                Err(Refused::Other(error)) => return Err(error),
            }
        }
        Ok(())
    }

    fn nonce(&self) -> Bytes {
        let mut nonce = [0; 16];
        self.directory.env().fill(&mut nonce);
        Bytes::copy_from_slice(&nonce)
    }

    /// Those that are a tenant's, for upkeep: one query.
    pub async fn proved_domains(&self, tenant: TenantId) -> Result<Vec<Domain>> {
        let prefix = Sk::text("domain#");
        let pk = access::organisation(tenant).organisation(prefix.clone()).pk().clone();
        let rows = self.directory.store().query_all(&Query::prefix(pk, &prefix)).await?;
        Ok(rows.iter().filter_map(|(key, _)| domain_of(key)).collect())
    }

    /// Claims of a tenant that were not proved in time, and the keys that were made for them, gone; for upkeep.
    pub async fn lapse_claims(&self, tenant: TenantId) -> Result<()> {
        self.own_old_claims(tenant).await?;
        let now = self.directory.env().now();
        for (domain, claim) in self.directory.claims(tenant).await? {
            if now < claim.lapses() {
                continue;
            }
            match self.drop_claim(&domain, &claim, "domain.lapse").await {
                // Claimed again, or removed, meanwhile.
                Err(error) if error.kind() == Kind::Conflict => {}
                done => done?,
            }
        }
        Ok(())
    }

    async fn drop_claim(&self, domain: &Domain, claim: &Claim, act: &'static str) -> Result<()> {
        let same = When::Equal(vec![("n".into(), claim.nonce.clone().into())]);
        let key = access::organisation(claim.tenant).organisation(sk::claim(domain));
        let mut writes = vec![Write::Delete { key, when: same }];
        // Keys of a domain that is the tenant's by now are not those of the claim.
        if self.directory.domain_owner(domain).await? != Some(claim.tenant) {
            writes.extend(self.key_removal(claim.tenant, domain).await?);
        }
        Ok(self.commit(writes, self.act(claim.tenant, act, domain.as_str(), "")).await?)
    }

    /// Made where it is absent; true where it was made now. Another tenant's domain is a conflict.
    pub async fn ensure_domain(&self, tenant: &str, domain: &Domain) -> Result<bool> {
        match self.create_domain(tenant, domain).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == Kind::Conflict => {
                let owner = self.tenant(tenant).await?.id;
                if self.directory.domain_owner(domain).await? == Some(owner) { Ok(false) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    /// By name: those that are proved, then claims that wait.
    pub async fn domains(&self, tenant: &str) -> Result<Vec<DomainInfo>> {
        let (tenant, now) = (self.tenant(tenant).await?, self.directory.env().now());
        let prefix = Sk::text("domain#");
        let pk = access::organisation(tenant.id).organisation(prefix.clone()).pk().clone();
        let rows = self.directory.store().query_all(&Query::prefix(pk, &prefix)).await?;
        let named: Vec<_> = rows.iter().filter_map(|(key, row)| Some((domain_of(key)?, read_time(row)))).collect();
        let keys: Vec<_> = named.iter().map(|(domain, _)| shared::domain(domain)).collect();
        let shown = named.into_iter().zip(self.directory.store().batch_get(&keys).await?);
        let shown = shown.filter(|(_, row)| row.as_ref().is_none_or(is_proved)).map(|(one, _)| one);
        let info = |(domain, created): (Domain, _)| DomainInfo { domain: domain.to_string(), created, proved: true, lapses: None };
        let mut found: Vec<_> = shown.map(info).collect();
        for (domain, claim) in self.directory.claims(tenant.id).await? {
            if now < claim.lapses() {
                let lapses = Some(claim.lapses());
                found.push(DomainInfo { domain: domain.to_string(), created: claim.since, proved: false, lapses });
            }
        }
        Ok(found)
    }

    /// What a tenant has of a domain: refused while an address of it is somebody's.
    pub async fn remove_domain(&self, tenant: TenantId, domain: &Domain) -> Result<()> {
        let none = || Error::not_found(format!("{domain} is not a domain of this tenant"));
        let claim = self.directory.claim(tenant, domain).await?.ok_or_else(none)?;
        if !claim.proved {
            return self.drop_claim(domain, &claim, "domain.remove").await;
        }
        if self.rehearses {
            return if self.domain_in_use(tenant, domain).await? { Err(in_use(domain)) } else { Ok(()) };
        }
        let (key, store) = (shared::domain(domain), self.directory.store());
        let mark = |status: Status| vec![("st".into(), status.number().into())];
        let ours = || When::Equal(vec![("t".into(), tenant.as_bytes().into())]);
        // From here on no address can be added; then look whether there is one.
        store.commit(vec![Write::Update { key: key.clone(), set: mark(Status::Deleting), remove: vec![], when: ours() }]).await?;
        if self.domain_in_use(tenant, domain).await? {
            store.commit(vec![Write::Update { key, set: mark(Status::Active), remove: vec![], when: ours() }]).await?;
            return Err(in_use(domain));
        }
        let mut writes = vec![Write::Delete { key, when: ours() }];
        writes.push(Write::delete(access::organisation(tenant).organisation(sk::domain(domain))));
        writes.extend(self.key_removal(tenant, domain).await?);
        self.commit(writes, self.act(tenant, "domain.remove", domain.as_str(), "")).await?;
        self.directory.inner.domains.remove(domain);
        Ok(())
    }

    async fn key_removal(&self, tenant: TenantId, domain: &Domain) -> Result<Vec<Write>> {
        let (scope, keys) = (access::organisation(tenant), self.directory.domain_key_rows(tenant, domain).await?);
        Ok(keys.into_iter().map(|(sk, _)| Write::delete(scope.organisation(sk))).collect())
    }

    /// In whose domain an address is made. No address is in a domain that may be somebody else's: so none has to be looked at
    /// when mail comes.
    pub(super) async fn owner_of(&self, domain: &Domain) -> Result<TenantId> {
        let none = || Error::not_found(format!("the domain {domain} is proved to no tenant; add it first, and prove it"));
        self.directory.domain_owner(domain).await?.ok_or_else(none)
    }

    async fn domain_in_use(&self, tenant: TenantId, domain: &Domain) -> Result<bool> {
        for kind in PrincipalKind::ALL {
            let prefix = sk::names_in(kind, domain);
            let mut query = Query::prefix(access::organisation(tenant).organisation(prefix.clone()).pk().clone(), &prefix);
            query.limit = 1;
            if !self.directory.store().query(&query).await?.rows.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn domain_of(key: &Sk) -> Option<Domain> {
    std::str::from_utf8(rest(key, "domain#")?).ok()?.parse().ok()
}

/// The condition that a domain's row is an older version's claim of this tenant.
fn old_claim(tenant: TenantId) -> When {
    When::Equal(vec![("t".into(), tenant.as_bytes().into()), ("un".into(), 1u64.into())])
}

fn in_use(domain: &Domain) -> Error {
    Error::conflict(format!("addresses of {domain} are still in use; remove or move them first"))
}

fn served_elsewhere(domain: &Domain) -> Error {
    Error::conflict(format!(
        "{domain} is served for another organisation here already, which must remove it first; ask its administrators, or the operator"
    ))
}

/// The condition of a tenant's row, that nothing new comes into one that is being taken apart.
fn active() -> When {
    When::Equal(vec![("st".into(), Status::Active.number().into())])
}
