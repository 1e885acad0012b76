use super::{Operator, Page, TenantInfo};
use crate::access;
use crate::audit::Act;
use crate::directory::Tenant;
use crate::rows::{Status, TenantStatus, gone_entry, sk, tenant_of, time};
use penfold_ports::{Query, Row, Sk, When, Write, shared};
use penfold_types::{Error, Result, TenantId, Timestamp};

/// 1 to 100 letters, digits, dots, hyphens and spaces in between; kept as written, unique in lower case.
pub(super) fn check(name: &str) -> Result<String> {
    let fits = (1..=100).contains(&name.len())
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | ' ' | '&'))
        && name.trim() == name;
    if fits {
        Ok(name.to_lowercase())
    } else {
        Err(Error::invalid("a tenant's name has 1 to 100 letters, digits, spaces and any of - . _ &"))
    }
}

fn info(id: TenantId, tenant: Tenant) -> TenantInfo {
    let Tenant { name, status, trial_ends, closed, revision, pool, created, .. } = tenant;
    TenantInfo { id, name, status, trial_ends, closed, pool, revision, created }
}

impl Operator {
    pub async fn create_tenant(&self, name: &str) -> Result<TenantInfo> {
        self.make_tenant(name, None, |_| Vec::new()).await
    }

    /// `extra` is written in the same commit; where its condition fails, that is a conflict like a name that is taken.
    pub(super) async fn make_tenant(
        &self,
        name: &str,
        trial_ends: Option<Timestamp>,
        extra: impl FnOnce(TenantId) -> Vec<Write>,
    ) -> Result<TenantInfo> {
        let (folded, tenant) = (check(name)?, TenantId::new(self.directory.env()));
        let (scope, created) = (access::organisation(tenant), self.directory.env().now());
        let entry = Row::new().with("t", tenant.as_bytes());
        let mut row =
            Row::new().with("n", name).with("st", Status::Active.number()).with("kv", 1u64).with("rv", 1u64).with("at", time(created));
        if let Some(ends) = trial_ends {
            row.set("tr", time(ends));
        }
        let mut writes = vec![
            Write::put_new(shared::tenant_entry(&folded), entry),
            Write::put_new(scope.organisation(sk::tenant()), row),
            self.directory.new_data_key(tenant, 1).await?,
            // Everything in it has its words from the start.
            Write::put(scope.organisation(sk::words()), Row::new().with("v", crate::search::VERSION)),
        ];
        writes.extend(extra(tenant));
        let taken = |_| Error::conflict(format!("there is a tenant named {name} already"));
        self.commit(writes, Act { first: true, ..self.act(tenant, "tenant.create", name, "") })
            .await
            .map_err(|refused| refused.explain(taken))?;
        let status = if trial_ends.is_some() { TenantStatus::Trial } else { TenantStatus::Active };
        Ok(TenantInfo { id: tenant, name: name.to_owned(), status, trial_ends, closed: None, pool: None, revision: 1, created })
    }

    /// The tenant of this name, made where it is absent; true where it was made now.
    pub async fn ensure_tenant(&self, name: &str) -> Result<(TenantInfo, bool)> {
        match self.create_tenant(name).await {
            Ok(made) => Ok((made, true)),
            Err(error) if error.kind() == penfold_types::Kind::Conflict => Ok((self.tenant(name).await?, false)),
            Err(error) => Err(error),
        }
    }

    /// By name, or by id.
    pub async fn tenant(&self, name: &str) -> Result<TenantInfo> {
        let unknown = || Error::not_found(format!("there is no tenant named {name}"));
        let entry = match check(name) {
            Ok(folded) => self.directory.store().get(&shared::tenant_entry(&folded)).await?,
            Err(_) => None,
        };
        let id = match entry {
            Some(row) => tenant_of(&row)?,
            None => name.parse().map_err(|_| unknown())?,
        };
        let tenant = self.directory.tenant_now(id).await.map_err(|error| match error.kind() {
            penfold_types::Kind::NotFound => unknown(),
            _ => error,
        })?;
        Ok(info(id, tenant))
    }

    pub async fn tenants(&self, after: Option<&str>, limit: usize) -> Result<Page<TenantInfo>> {
        let from = after.map_or_else(|| Sk::text("\u{1}"), |name| Sk::text(name).successor());
        let query = Query { pk: shared::tenants(), from, to: Some(Sk::text("~")), limit: limit.clamp(1, 1000), reverse: false };
        let page = self.directory.store().query(&query).await?;
        let next = page.rows.last().filter(|_| page.more).and_then(|(key, _)| String::from_utf8(key.as_bytes().to_vec()).ok());
        let mut items = Vec::with_capacity(page.rows.len());
        for (_, row) in &page.rows {
            let id = tenant_of(row)?;
            match self.directory.tenant_now(id).await {
                Ok(tenant) => items.push(info(id, tenant)),
                Err(error) if error.kind() == penfold_types::Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Page { items, next })
    }

    /// From which pool of addresses its mail leaves; `None` for everybody's.
    pub async fn set_tenant_pool(&self, name: &str, pool: Option<&str>) -> Result<()> {
        let tenant = self.tenant(name).await?;
        let fits =
            |pool: &str| (1..=50).contains(&pool.len()) && pool.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
        if !pool.is_none_or(fits) {
            return Err(Error::invalid("a pool's name has 1 to 50 letters, digits and any of - . _"));
        }
        let (set, remove) = match pool {
            Some(pool) => (vec![("po".into(), pool.into())], vec![]),
            None => (vec![], vec!["po".into()]),
        };
        let act = self.act(tenant.id, "tenant.pool", &tenant.name, pool.unwrap_or("none"));
        self.update_tenant_row(&tenant, set, remove, Vec::new(), act).await.map(|_| ())
    }

    /// Makes a new data key; what comes is sealed with it, what is there stays readable.
    pub async fn rotate_data_key(&self, name: &str) -> Result<u32> {
        let tenant = self.tenant(name).await?;
        let version = self.directory.tenant_now(tenant.id).await?.key_version;
        let next = version.checked_add(1).ok_or_else(|| Error::limit("there are too many keys"))?;
        let key = access::organisation(tenant.id).organisation(sk::tenant());
        let when = When::Equal(vec![("kv".into(), version.into())]);
        let writes = vec![
            Write::Update { key, set: vec![("kv".into(), next.into())], remove: vec![], when },
            self.directory.new_data_key(tenant.id, next).await?,
        ];
        self.commit(writes, self.act(tenant.id, "tenant.key", &tenant.name, &format!("version {next}"))).await?;
        self.directory.inner.tenants.remove(&tenant.id);
        Ok(next)
    }

    /// Removes a tenant that has no domain any more, and destroys its secret and its data keys: what they sealed cannot be
    /// read again, from no backup either. The sweep that frees the space finds the tenant in the list of tenants under `~id`.
    /// Cut off anywhere, it is done again.
    pub async fn remove_tenant(&self, name: &str) -> Result<()> {
        let tenant = self.tenant(name).await?;
        let scope = access::organisation(tenant.id);
        let (key, store) = (scope.organisation(sk::tenant()), self.directory.store());
        let mark = |status: TenantStatus| vec![("st".into(), status.number().into())];
        if self.rehearses {
            return if self.has_domains(tenant.id).await? { Err(has_domains(&tenant.name)) } else { Ok(()) };
        }
        // From here on no domain can be added; then look whether there is one.
        let when = When::Equal(mark(tenant.status));
        store.commit(vec![Write::Update { key: key.clone(), set: mark(TenantStatus::Deleting), remove: vec![], when }]).await?;
        self.directory.inner.tenants.remove(&tenant.id);
        if self.has_domains(tenant.id).await? {
            // Where it was marked before, whoever did that takes the mark back.
            if tenant.status != TenantStatus::Deleting {
                store.commit(vec![Write::Update { key, set: mark(tenant.status), remove: vec![], when: When::Present }]).await?;
            }
            return Err(has_domains(&tenant.name));
        }
        // Nothing takes the mark back any more. While the tenant has its name, whoever was cut off can come again.
        store.destroy(tenant.id).await?;
        let mut keys = Vec::new();
        for begins in ["key#", "claim#", "dkim#", "brand", "contact#", "word#"] {
            let rows = store.query_all(&Query::prefix(key.pk().clone(), &Sk::text(begins))).await?;
            keys.extend(rows.into_iter().map(|(sk, _)| Write::delete(scope.organisation(sk))));
        }
        for chunk in keys.chunks(90) {
            store.commit(chunk.to_vec()).await?;
        }
        let writes = vec![
            Write::put(gone_entry(tenant.id), Row::new().with("t", tenant.id.as_bytes()).with("at", time(self.directory.env().now()))),
            Write::delete(shared::tenant_entry(&tenant.name.to_lowercase())),
            Write::delete(scope.organisation(sk::nesting())),
            Write::delete(scope.organisation(sk::claims())),
            Write::delete(scope.organisation(sk::filters())),
            Write::delete(scope.organisation(sk::administrators())),
            Write::delete(scope.organisation(sk::roles_indexed())),
            Write::delete(scope.organisation(sk::words())),
            Write::delete(key),
        ];
        self.commit(writes, self.act(tenant.id, "tenant.remove", &tenant.name, "")).await?;
        self.directory.inner.tenants.remove(&tenant.id);
        self.directory.inner.keys.clear();
        Ok(())
    }

    async fn has_domains(&self, tenant: TenantId) -> Result<bool> {
        let domains = Sk::text("domain#");
        let mut query = Query::prefix(access::organisation(tenant).organisation(domains.clone()).pk().clone(), &domains);
        query.limit = 1;
        Ok(!self.directory.store().query(&query).await?.rows.is_empty())
    }
}

fn has_domains(name: &str) -> Error {
    Error::conflict(format!("the tenant {name} still has domains; remove them first"))
}
