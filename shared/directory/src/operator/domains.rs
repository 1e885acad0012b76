//! Domains of tenants. One that the operator adds counts as proved; one that is only claimed waits for its proof, and after
//! a week without one another tenant may claim it.

use super::{DomainInfo, Operator};
use crate::claims::{CLAIM, Claim, is_proved};
use crate::rows::{PrincipalKind, Status, read_time, rest, sk, time};
use crate::{TenantInfo, access};
use bytes::Bytes;
use penfold_ports::{Query, Row, Sk, When, Write, shared};
use penfold_types::{Domain, Error, Kind, Result, TenantId};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// On what ground a domain becomes a tenant's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Placed {
    /// The operator knows.
    Known,
    /// Its proof was seen.
    Proved,
    Claimed,
}

impl Operator {
    /// A domain of which the operator knows whose it is.
    pub async fn create_domain(&self, tenant: &str, domain: &Domain) -> Result<()> {
        self.place_domain(tenant, domain, Placed::Known).await
    }

    /// A domain of which the proof was just seen: what somebody else only claims does not stand in its way.
    pub(crate) async fn create_proved_domain(&self, tenant: &str, domain: &Domain) -> Result<()> {
        self.place_domain(tenant, domain, Placed::Proved).await
    }

    /// A domain that a tenant says is its own. Nothing can be done with it until [`Operator::mark_proved`].
    pub async fn claim_domain(&self, tenant: &str, domain: &Domain) -> Result<()> {
        self.place_domain(tenant, domain, Placed::Claimed).await
    }

    async fn place_domain(&self, tenant: &str, domain: &Domain, placed: Placed) -> Result<()> {
        let tenant = self.tenant(tenant).await?;
        let (scope, now) = (access::organisation(tenant.id), self.directory.env().now());
        let mut row = Row::new().with("t", tenant.id.as_bytes()).with("st", Status::Active.number()).with("at", time(now));
        if placed == Placed::Claimed {
            row = row.with("un", true).with("n", self.nonce());
        }
        let active = When::Equal(vec![("st".into(), Status::Active.number().into())]);
        let before = self.directory.claim(domain).await?;
        let (when, taken_away, lapsed) = match before {
            None => (When::Absent, Vec::new(), None),
            Some(claim) => {
                let lapsed = self.act(claim.tenant, "domain.lapse", domain.as_str(), "claimed by another tenant");
                let (when, writes) = self.take_over(&tenant, domain, claim, placed).await?;
                (when, writes, Some(lapsed))
            }
        };
        let act = if placed == Placed::Claimed { "domain.claim" } else { "domain.create" };
        let mut writes = vec![
            Write::Put { key: shared::domain(domain), row, when },
            Write::Check { key: scope.organisation(sk::tenant()), when: active },
            Write::put(scope.organisation(sk::domain(domain)), Row::new().with("at", time(now))),
        ];
        writes.extend(taken_away);
        let mut acts = vec![self.act(tenant.id, act, domain.as_str(), "")];
        acts.extend(lapsed);
        let words = |write| match write {
            0 => taken(domain),
            1 => Error::conflict(format!("the tenant {} is not active", tenant.name)),
            _ => Error::conflict("changed by somebody else meanwhile; try again"),
        };
        self.commit_all(writes, &acts).await.map_err(|refused| refused.explain(words))
    }

    /// From whom a claim may be taken: its condition, and what goes with it. No address can be in it.
    async fn take_over(&self, tenant: &TenantInfo, domain: &Domain, claim: Claim, placed: Placed) -> Result<(When, Vec<Write>)> {
        let age = self.directory.env().now().since(claim.since);
        if claim.proved {
            return Err(taken(domain));
        }
        if claim.tenant == tenant.id {
            return Err(Error::conflict(format!(
                "{domain} is claimed by {} already; prove it: penfold domain prove {domain}",
                tenant.name
            )));
        }
        if age < CLAIM && placed != Placed::Proved {
            let days = (CLAIM - age).as_secs().div_ceil(DAY.as_secs());
            return Err(Error::conflict(format!(
                "the domain {domain} is claimed by another tenant, which has {days} days left to prove it; come back then"
            )));
        }
        let writes = self.removal(claim.tenant, domain).await?;
        let same = vec![("t".into(), claim.tenant.as_bytes().into()), ("n".into(), claim.nonce.into()), ("un".into(), 1u64.into())];
        Ok((When::Equal(same), writes))
    }

    /// The proof was seen, or the operator vouches for it. What was proved before stays so.
    pub async fn mark_proved(&self, tenant: TenantId, domain: &Domain, detail: &str) -> Result<()> {
        let waiting = vec![("t".into(), tenant.as_bytes().into()), ("un".into(), 1u64.into())];
        let remove = vec!["un".into(), "n".into()];
        let update = Write::Update { key: shared::domain(domain), set: vec![], remove, when: When::Equal(waiting) };
        let words = |_| Error::conflict(format!("{domain} is not waiting for a proof of this tenant"));
        self.commit(vec![update], self.act(tenant, "domain.prove", domain.as_str(), detail)).await.map_err(|refused| refused.explain(words))
    }

    fn nonce(&self) -> Bytes {
        let mut nonce = [0; 16];
        self.directory.env().fill(&mut nonce);
        Bytes::copy_from_slice(&nonce)
    }

    /// Made where it is absent; true where it was made now. Another tenant's domain is a conflict.
    pub async fn ensure_domain(&self, tenant: &str, domain: &Domain) -> Result<bool> {
        match self.create_domain(tenant, domain).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == Kind::Conflict => {
                let owner = self.tenant(tenant).await?.id;
                if self.domain_owner(domain).await.is_ok_and(|id| id == owner) { Ok(false) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    pub async fn domains(&self, tenant: &str) -> Result<Vec<DomainInfo>> {
        let tenant = self.tenant(tenant).await?;
        let prefix = Sk::text("domain#");
        let pk = access::organisation(tenant.id).organisation(prefix.clone()).pk().clone();
        let rows = self.directory.store().query_all(&Query::prefix(pk, &prefix)).await?;
        let read = |(key, row): (Sk, Row)| {
            let domain: Domain = std::str::from_utf8(rest(&key, "domain#")?).ok()?.parse().ok()?;
            Some((domain, read_time(&row)))
        };
        let found: Vec<_> = rows.into_iter().filter_map(read).collect();
        let keys: Vec<_> = found.iter().map(|(domain, _)| shared::domain(domain)).collect();
        let shared = self.directory.store().batch_get(&keys).await?;
        let info = |((domain, created), row): ((Domain, _), Option<Row>)| DomainInfo {
            domain: domain.to_string(),
            created,
            proved: row.is_some_and(|row| is_proved(&row)),
        };
        Ok(found.into_iter().zip(shared).map(info).collect())
    }

    /// Refused while an address of the domain is somebody's.
    pub async fn remove_domain(&self, domain: &Domain) -> Result<()> {
        let tenant = self.domain_owner(domain).await?;
        if self.rehearses {
            return if self.domain_in_use(tenant, domain).await? { Err(in_use(domain)) } else { Ok(()) };
        }
        let (key, store) = (shared::domain(domain), self.directory.store());
        let mark = |status: Status| vec![("st".into(), status.number().into())];
        // From here on no address can be added; then look whether there is one.
        store.commit(vec![Write::Update { key: key.clone(), set: mark(Status::Deleting), remove: vec![], when: When::Present }]).await?;
        if self.domain_in_use(tenant, domain).await? {
            store.commit(vec![Write::Update { key, set: mark(Status::Active), remove: vec![], when: When::Present }]).await?;
            return Err(in_use(domain));
        }
        let mut writes = vec![Write::delete(key)];
        writes.extend(self.removal(tenant, domain).await?);
        self.commit(writes, self.act(tenant, "domain.remove", domain.as_str(), "")).await?;
        self.directory.inner.domains.remove(domain);
        Ok(())
    }

    /// What a tenant has of a domain, the shared row apart.
    async fn removal(&self, tenant: TenantId, domain: &Domain) -> Result<Vec<Write>> {
        let scope = access::organisation(tenant);
        let keys = self.directory.domain_key_rows(tenant, domain).await?;
        let mut writes: Vec<_> = keys.into_iter().map(|(sk, _)| Write::delete(scope.organisation(sk))).collect();
        writes.push(Write::delete(scope.organisation(sk::domain(domain))));
        Ok(writes)
    }

    pub(super) async fn domain_owner(&self, domain: &Domain) -> Result<TenantId> {
        let none = || Error::not_found(format!("the domain {domain} belongs to no tenant; add it first"));
        Ok(self.directory.claim(domain).await?.ok_or_else(none)?.tenant)
    }

    /// No address is made in a domain that may be somebody else's: so none has to be looked at when mail comes.
    pub(super) async fn refuse_unproved(&self, domain: &Domain) -> Result<()> {
        match self.directory.claim(domain).await? {
            Some(claim) if !claim.proved => Err(Error::conflict(format!(
                "it is not proved yet that {domain} is this tenant's; publish its record and then: penfold domain prove {domain}"
            ))),
            _ => Ok(()),
        }
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

fn in_use(domain: &Domain) -> Error {
    Error::conflict(format!("addresses of {domain} are still in use; remove or move them first"))
}

fn taken(domain: &Domain) -> Error {
    Error::conflict(format!("the domain {domain} is taken"))
}
