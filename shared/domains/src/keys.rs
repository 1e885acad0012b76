//! Pairs of DKIM keys: one RSA key, which everybody verifies, and one Ed25519 key (RFC 8463 §3 asks for both).

use crate::selector::{pair_name, selector};
use penfold_authentication::{Algorithm, KeyError, PrivateKey};
use penfold_directory::{Claim, Directory, DomainKey, KeyChange, KeyState, Operator, Service};
use penfold_ports::{Dns, World};
use penfold_types::{Domain, Env, Error, Kind, Result, TenantId, Timestamp};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Domains of tenants: their keys and records. Cheap to clone; one for each process, so that it makes a key once.
#[derive(Clone)]
pub struct Domains {
    inner: Arc<Inner>,
    actor: Arc<str>,
}

struct Inner {
    env: Env,
    dns: Arc<dyn Dns>,
    directory: Directory,
    algorithms: Vec<Algorithm>,
    making: Mutex<()>,
}

/// What a key's record says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub selector: String,
    pub state: KeyState,
    /// Since when it is in this state.
    pub at: Timestamp,
    /// The text of the TXT record.
    pub record: String,
}

impl Domains {
    pub fn new(world: &World, directory: Directory) -> Self {
        Self::with_algorithms(world, directory, &[Algorithm::RsaSha256, Algorithm::Ed25519Sha256])
    }

    /// Keys of these kinds only. A simulation leaves RSA out: it takes its randomness from the library, and a thread of its own.
    pub fn with_algorithms(world: &World, directory: Directory, algorithms: &[Algorithm]) -> Self {
        let (env, dns, algorithms) = (world.env.clone(), world.dns.clone(), algorithms.to_vec());
        Self { inner: Arc::new(Inner { env, dns, directory, algorithms, making: Mutex::default() }), actor: "keys".into() }
    }

    /// The same under another name in the audit log.
    #[must_use]
    pub fn acting_as(&self, actor: &str) -> Self {
        Self { actor: actor.into(), ..self.clone() }
    }

    pub(crate) fn env(&self) -> &Env {
        &self.inner.env
    }

    pub(crate) fn dns(&self) -> &Arc<dyn Dns> {
        &self.inner.dns
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.inner.directory
    }

    pub(crate) fn operator(&self) -> Operator {
        self.inner.directory.operator().acting_as(&self.actor)
    }

    /// What a tenant has of a domain, proved or not.
    pub async fn claim(&self, tenant: TenantId, domain: &Domain) -> Result<Claim> {
        let none = || Error::not_found(format!("{domain} is not a domain of this tenant; add it: penfold domain add TENANT {domain}"));
        self.inner.directory.claim(tenant, domain).await?.ok_or_else(none)
    }

    /// How the service is reached, and whether a server has said so; where none has, its defaults.
    pub async fn service(&self) -> Result<(Service, bool)> {
        let said = self.inner.directory.service().await?;
        let known = said.is_some();
        Ok((said.unwrap_or_default(), known))
    }

    /// All keys of a domain. Where none signs, a pair is made that does so at once.
    pub async fn ensure(&self, tenant: TenantId, domain: &Domain) -> Result<Vec<DomainKey>> {
        let signs = |keys: &[DomainKey]| keys.iter().any(|key| key.state == KeyState::Active);
        let read = || self.inner.directory.domain_keys(tenant, domain);
        let keys = read().await?;
        if signs(&keys) {
            return Ok(keys);
        }
        let _one_at_a_time = self.inner.making.lock().await;
        let keys = read().await?;
        if signs(&keys) {
            return Ok(keys);
        }
        match self.add_pair(tenant, domain, &keys, KeyState::Active).await {
            // Another process may have been faster.
            Err(error) if error.kind() == Kind::Conflict => {
                let keys = read().await?;
                if signs(&keys) { Ok(keys) } else { Err(error) }
            }
            Err(error) => Err(error),
            Ok(_) => read().await,
        }
    }

    /// The public side of [`Domains::ensure`].
    pub async fn public_keys(&self, tenant: TenantId, domain: &Domain) -> Result<Vec<PublicKey>> {
        self.ensure(tenant, domain).await?.iter().map(public).collect()
    }

    pub(crate) async fn add_pair(&self, tenant: TenantId, domain: &Domain, there: &[DomainKey], state: KeyState) -> Result<Vec<DomainKey>> {
        let now = self.inner.env.now();
        let pair = pair_name(now, there.iter().map(|key| key.selector.as_str()))?;
        let mut made = Vec::with_capacity(self.inner.algorithms.len());
        for algorithm in self.inner.algorithms.iter().copied() {
            let der = generate(algorithm, self.inner.env.clone()).await?.to_pkcs8().map_err(unusable)?;
            made.push(DomainKey { selector: selector(&pair, algorithm), algorithm: algorithm.name().to_owned(), der, state, at: now });
        }
        let changes: Vec<_> = made.iter().cloned().map(KeyChange::Add).collect();
        self.operator().change_domain_keys(tenant, domain, &changes).await?;
        tracing::info!(%tenant, %domain, %pair, ?state, "DKIM keys were made");
        Ok(made)
    }
}

/// RSA takes a good part of a second, so it is done aside.
async fn generate(algorithm: Algorithm, env: Env) -> Result<PrivateKey> {
    let made = match algorithm {
        Algorithm::Ed25519Sha256 => PrivateKey::generate(algorithm, &env),
        Algorithm::RsaSha256 => {
            let work = tokio::task::spawn_blocking(move || PrivateKey::generate(algorithm, &env)).await;
            work.map_err(|error| Error::broken("a key cannot be made").because(error))?
        }
    };
    made.map_err(unusable)
}

pub(crate) fn unusable(error: KeyError) -> Error {
    Error::broken("a DKIM key cannot be used").because(error)
}

pub(crate) fn private(key: &DomainKey) -> Result<PrivateKey> {
    PrivateKey::from_pkcs8(&key.der).map_err(unusable)
}

pub(crate) fn public(key: &DomainKey) -> Result<PublicKey> {
    let record = private(key)?.record().map_err(unusable)?;
    Ok(PublicKey { selector: key.selector.clone(), state: key.state, at: key.at, record })
}
