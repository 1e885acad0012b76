//! Signatures for mail that leaves. Parsed keys are kept for a minute, so a new pair signs a minute after it became active;
//! the old one is still published then.

use crate::Domains;
use crate::keys::private;
use bytes::Bytes;
use parking_lot::Mutex;
use penfold_authentication::{PrivateKey, SignError, Signer, sign};
use penfold_directory::KeyState;
use penfold_types::{Domain, Env, Error, Result, TenantId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const KEPT: Duration = Duration::from_secs(60);
/// Domains whose keys are kept.
const LIMIT: usize = 1000;
/// A longer message is hashed on a thread of its own.
const ASIDE: usize = 1 << 20;

/// Cheap to clone; clones share what they keep.
#[derive(Clone)]
pub struct Signers(Arc<Inner>);

struct Inner {
    domains: Domains,
    kept: Mutex<HashMap<(TenantId, Domain), Kept>>,
}

struct Kept {
    pair: Arc<Pair>,
    until: Instant,
}

/// The keys of a domain that sign.
struct Pair {
    domain: Domain,
    keys: Vec<(String, PrivateKey)>,
}

impl Signers {
    pub fn new(domains: Domains) -> Self {
        Self(Arc::new(Inner { domains, kept: Mutex::default() }))
    }

    /// DKIM-Signature fields for `message` (lines end in CRLF), each with its line end, to be put in front of it; the first
    /// keys of a domain are made here. Empty where the domain is not this tenant's, or not proved to be. Invalid where the
    /// message has not exactly one From.
    pub async fn sign(&self, tenant: TenantId, domain: &Domain, message: &[u8]) -> Result<Bytes> {
        let domains = &self.0.domains;
        if domains.directory().domain_tenant(domain).await? != Some(tenant) {
            return Ok(Bytes::new());
        }
        let pair = self.pair(tenant, domain).await?;
        if message.len() < ASIDE {
            return pair.sign(message, domains.env());
        }
        let (message, env) = (Bytes::copy_from_slice(message), domains.env().clone());
        let work = tokio::task::spawn_blocking(move || pair.sign(&message, &env)).await;
        work.map_err(|error| Error::broken("the message cannot be signed").because(error))?
    }

    async fn pair(&self, tenant: TenantId, domain: &Domain) -> Result<Arc<Pair>> {
        let (key, now) = ((tenant, domain.clone()), self.0.domains.env().monotonic());
        if let Some(known) = self.0.kept.lock().get(&key).filter(|kept| kept.until > now) {
            return Ok(known.pair.clone());
        }
        let all = self.0.domains.ensure(tenant, domain).await?;
        let active = all.iter().filter(|key| key.state == KeyState::Active);
        let keys = active.map(|key| Ok((key.selector.clone(), private(key)?))).collect::<Result<Vec<_>>>()?;
        let pair = Arc::new(Pair { domain: domain.clone(), keys });
        let mut kept = self.0.kept.lock();
        if kept.len() >= LIMIT {
            kept.retain(|_, kept| kept.until > now);
        }
        if kept.len() >= LIMIT {
            kept.clear();
        }
        kept.insert(key, Kept { pair: pair.clone(), until: now + KEPT });
        Ok(pair)
    }
}

impl Pair {
    fn sign(&self, message: &[u8], env: &Env) -> Result<Bytes> {
        let signers: Vec<_> = self.keys.iter().map(|(selector, key)| Signer { domain: self.domain.as_str(), selector, key }).collect();
        match sign(message, &signers, env) {
            Ok(fields) => Ok(fields),
            Err(SignError::From) => Err(Error::invalid("a message must have exactly one From to be signed")),
            Err(error) => Err(Error::broken("the message cannot be signed").because(error)),
        }
    }
}
