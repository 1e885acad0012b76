use super::{DomainInfo, Operator};
use crate::access;
use crate::rows::{PrincipalKind, Status, read_time, sk, tenant_of, time};
use penfold_ports::{Query, Row, Sk, When, Write, shared};
use penfold_types::{Domain, Error, Kind, Result, TenantId};

impl Operator {
    pub async fn create_domain(&self, tenant: &str, domain: &Domain) -> Result<()> {
        let tenant = self.tenant(tenant).await?;
        let scope = access::organisation(tenant.id);
        let now = time(self.directory.env().now());
        let row = Row::new().with("t", tenant.id.as_bytes()).with("st", Status::Active.number());
        let active = When::Equal(vec![("st".into(), Status::Active.number().into())]);
        let writes = vec![
            Write::put_new(shared::domain(domain), row),
            Write::Check { key: scope.organisation(sk::tenant()), when: active },
            Write::put(scope.organisation(sk::domain(domain)), Row::new().with("at", now)),
            self.audit(tenant.id, "domain.create", domain.as_str(), ""),
        ];
        let words = |write| match write {
            0 => Error::conflict(format!("the domain {domain} is taken")),
            _ => Error::conflict(format!("the tenant {} is not active", tenant.name)),
        };
        self.directory.store().commit(writes).await.map_err(|refused| refused.explain(words))
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
        let read = |(key, row): &(Sk, Row)| {
            let domain = String::from_utf8(crate::rows::rest(key, "domain#")?.to_vec()).ok()?;
            Some(DomainInfo { domain, created: read_time(row) })
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Refused while an address of the domain is somebody's.
    pub async fn remove_domain(&self, domain: &Domain) -> Result<()> {
        let tenant = self.domain_owner(domain).await?;
        let (key, store) = (shared::domain(domain), self.directory.store());
        let mark = |status: Status| vec![("st".into(), status.number().into())];
        // From here on no address can be added; then look whether there is one.
        store.commit(vec![Write::Update { key: key.clone(), set: mark(Status::Deleting), remove: vec![], when: When::Present }]).await?;
        if self.domain_in_use(tenant, domain).await? {
            store.commit(vec![Write::Update { key, set: mark(Status::Active), remove: vec![], when: When::Present }]).await?;
            return Err(Error::conflict(format!("addresses of {domain} are still in use; remove or move them first")));
        }
        let scope = access::organisation(tenant);
        let writes = vec![
            Write::delete(key),
            Write::delete(scope.organisation(sk::domain(domain))),
            self.audit(tenant, "domain.remove", domain.as_str(), ""),
        ];
        store.commit(writes).await?;
        self.directory.inner.domains.remove(domain);
        Ok(())
    }

    pub(super) async fn domain_owner(&self, domain: &Domain) -> Result<TenantId> {
        let row = self.directory.store().get(&shared::domain(domain)).await?;
        tenant_of(&row.ok_or_else(|| Error::not_found(format!("the domain {domain} belongs to no tenant; add it first")))?)
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
