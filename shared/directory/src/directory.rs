use crate::cache::Cache;
use crate::hasher::{Argon2id, Hasher};
use crate::keys::DataKey;
use crate::routes::Recipient;
use crate::rows::{Principal, PrincipalKind, TenantStatus, principal_of, sk};
use crate::sign_in::Door;
use crate::store::Store;
use crate::{Operator, Service, access};
use penfold_ports::{Account, Query, World};
use penfold_types::{Address, Domain, Env, Error, PrincipalId, Result, TenantId, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// How long what was read may be believed.
pub(crate) const FRESH: Duration = Duration::from_secs(60);

/// What the tests and a simulation set otherwise.
#[derive(Clone)]
pub struct Options {
    pub hasher: Arc<dyn Hasher>,
    /// Bytes for each mailbox that has no quota of its own.
    pub quota: u64,
    /// Wrong sign-ins in ten minutes, of one address or from one network, after which each further one waits.
    pub failures_before_delay: u32,
    /// Different wrong sign-ins in ten minutes after which there is no further one.
    pub failures_before_refusal: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { hasher: Arc::new(Argon2id), quota: 50 << 30, failures_before_delay: 5, failures_before_refusal: 20 }
    }
}

/// Cheap to clone; one for each process, so that its caches are shared.
#[derive(Clone)]
pub struct Directory {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Store,
    pub options: Options,
    pub routes: Cache<String, Recipient>,
    pub domains: Cache<Domain, TenantId>,
    pub principals: Cache<Account, Principal>,
    pub tenants: Cache<TenantId, Tenant>,
    pub keys: Cache<(TenantId, u32), DataKey>,
    pub services: Cache<(), Service>,
    /// Tenants whose entries all have their words.
    pub worded: Cache<TenantId, ()>,
    pub door: Door,
    /// One at a time, of the tenants that share a stripe, writes into the audit log.
    pub noting: Vec<tokio::sync::Mutex<()>>,
}

/// A tenant's own row.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub name: String,
    pub status: TenantStatus,
    /// When the trial ends, where it is one.
    pub trial_ends: Option<Timestamp>,
    /// When it was closed, where it is.
    pub closed: Option<Timestamp>,
    pub revision: u64,
    pub key_version: u32,
    pub pool: Option<String>,
    pub created: Timestamp,
}

impl Directory {
    pub fn new(world: World) -> Self {
        Self::with_options(world, Options::default())
    }

    pub fn with_options(world: World, options: Options) -> Self {
        let store = Store { world: world.named("directory") };
        let door = Door::new(store.env(), &options);
        let inner = Inner {
            store,
            options,
            routes: Cache::new(20_000),
            domains: Cache::new(5_000),
            principals: Cache::new(20_000),
            tenants: Cache::new(5_000),
            keys: Cache::new(10_000),
            services: Cache::new(1),
            worded: Cache::new(10_000),
            door,
            noting: (0..16).map(|_| tokio::sync::Mutex::new(())).collect(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Everything that an administrator does.
    pub fn operator(&self) -> Operator {
        Operator::new(self.clone(), "operator")
    }

    /// The bytes that an account may hold; at most a minute old.
    pub async fn quota(&self, account: Account) -> Result<u64> {
        let principal = self.principal(account).await?;
        Ok(principal.quota.unwrap_or(self.inner.options.quota))
    }

    /// The primary address of a principal; at most a minute old.
    pub async fn address_of(&self, tenant: TenantId, principal: PrincipalId) -> Result<Address> {
        Ok(self.principal(Account { tenant, principal }).await?.address)
    }

    pub fn now(&self) -> Timestamp {
        self.env().now()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn env(&self) -> &Env {
        self.inner.store.env()
    }

    /// A principal, at most a minute old.
    pub(crate) async fn principal(&self, account: Account) -> Result<Principal> {
        let now = self.env().monotonic();
        if let Some(known) = self.inner.principals.get(&account, now) {
            return Ok(known);
        }
        let mark = self.inner.principals.mark();
        let principal = self.principal_now(account).await?;
        self.inner.principals.put_read(mark, account, principal.clone(), now + FRESH);
        Ok(principal)
    }

    pub(crate) async fn principal_now(&self, account: Account) -> Result<Principal> {
        let key = access::organisation(account.tenant).principal(account.principal, sk::principal());
        let row = self.store().get(&key).await?.ok_or_else(|| Error::not_found("there is no such person or group"))?;
        Principal::read(&row)
    }

    /// After a change of a principal made here: nothing old is believed in this process. Others notice within a minute.
    pub(crate) fn forget_principal(&self, account: Account) {
        self.inner.principals.remove(&account);
    }

    /// After addresses were taken away or moved.
    pub(crate) fn forget_routes(&self) {
        self.inner.routes.clear();
    }

    /// Everybody of one kind in a tenant, by the rows that list them.
    pub(crate) async fn names(&self, tenant: TenantId, kind: PrincipalKind) -> Result<Vec<PrincipalId>> {
        let prefix = sk::names(kind);
        let pk = access::organisation(tenant).organisation(prefix.clone()).pk().clone();
        let rows = self.store().query_all(&Query::prefix(pk, &prefix)).await?;
        rows.iter().filter(|(_, row)| row.u64("al") != Some(1)).map(|(_, row)| principal_of(row)).collect()
    }
}
