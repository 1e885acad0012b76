//! MTA-STS: RFC 8461. Which hosts a domain lets its mail go to, and that they must prove who they are.

mod fetch;
mod policy;

pub use fetch::Https;
pub use policy::{Mode, Policy, PolicyError};

use crate::facts::ResultType;
use async_trait::async_trait;
use parking_lot::Mutex;
use penfold_ports::Dns;
use penfold_types::{Env, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Domains whose policies are remembered at most.
const DOMAINS: usize = 10_000;
/// RFC 8461 §3.3: a policy that cannot be had is not asked for at every message.
const AGAIN: Duration = Duration::from_secs(300);

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FetchError {
    #[error("the policy host cannot be reached or has no policy: {0}")]
    Unreachable(String),
    #[error("the policy host does not prove who it is")]
    Untrusted,
    #[error("what the policy host gives is no policy: {0}")]
    Invalid(String),
}

/// Gets the text at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` (RFC 8461 §3.3). Bounded in time and size.
#[async_trait]
pub trait PolicyFetcher: Send + Sync {
    async fn fetch(&self, domain: &str) -> Result<String, FetchError>;
}

/// Where no policies are fetched: no domain has one.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPolicies;

#[async_trait]
impl PolicyFetcher for NoPolicies {
    async fn fetch(&self, _: &str) -> Result<String, FetchError> {
        Err(FetchError::Unreachable("policies are not fetched".to_owned()))
    }
}

/// What is known of a domain.
#[derive(Default)]
struct Known {
    id: String,
    policy: Option<Arc<Policy>>,
    expires: Timestamp,
    /// A fetch failed; before this it is not tried again.
    again: Timestamp,
}

/// What holds for a domain, and what was wrong with finding out.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub policy: Option<Arc<Policy>>,
    pub wrong: Option<ResultType>,
}

/// Policies in memory, as long as they say (RFC 8461 §3.2, max_age).
pub(crate) struct Policies {
    env: Env,
    dns: Arc<dyn Dns>,
    fetcher: Arc<dyn PolicyFetcher>,
    known: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Known>>>>,
}

impl Policies {
    pub fn new(env: Env, dns: Arc<dyn Dns>, fetcher: Arc<dyn PolicyFetcher>) -> Self {
        Self { env, dns, fetcher, known: Mutex::new(BTreeMap::new()) }
    }

    pub async fn of(&self, domain: &str) -> Found {
        let record = self.dns.txt(&format!("_mta-sts.{domain}")).await;
        let id = record.ok().and_then(|answer| record_id(answer.records.iter().map(|text| &**text)));
        let Some(id) = id else {
            // RFC 8461 §3.1: without a record there is only what is remembered.
            let known = self.known.lock().get(domain).cloned();
            let Some(known) = known else { return Found::default() };
            let known = known.lock().await;
            return Found { policy: self.current(&known), wrong: None };
        };
        let entry = self.entry(domain);
        // Held through the fetch: who comes meanwhile wants the same.
        let mut known = entry.lock().await;
        let current = self.current(&known);
        let now = self.env.now();
        if (current.is_some() && known.id == id) || now < known.again {
            return Found { policy: current, wrong: None };
        }
        let fetched = match self.fetcher.fetch(domain).await {
            Ok(text) => text.parse::<Policy>().map_err(|error| FetchError::Invalid(error.to_string())),
            Err(error) => Err(error),
        };
        match fetched {
            Ok(policy) => {
                let policy = Arc::new(policy);
                *known = Known { id, policy: Some(policy.clone()), expires: now.plus(policy.max_age), again: now };
                Found { policy: Some(policy), wrong: None }
            }
            Err(error) => {
                tracing::debug!(domain, %error, "no MTA-STS policy");
                known.again = now.plus(AGAIN);
                let wrong = match error {
                    FetchError::Unreachable(_) => ResultType::StsPolicyFetchError,
                    FetchError::Untrusted => ResultType::StsWebpkiInvalid,
                    FetchError::Invalid(_) => ResultType::StsPolicyInvalid,
                };
                Found { policy: current, wrong: Some(wrong) }
            }
        }
    }

    fn current(&self, known: &Known) -> Option<Arc<Policy>> {
        known.policy.clone().filter(|_| self.env.now() < known.expires)
    }

    fn entry(&self, domain: &str) -> Arc<tokio::sync::Mutex<Known>> {
        let mut known = self.known.lock();
        if known.len() >= DOMAINS && !known.contains_key(domain) {
            let now = self.env.now();
            known.retain(|_, entry| entry.try_lock().is_ok_and(|entry| now < entry.expires));
            if known.len() >= DOMAINS {
                known.pop_first();
            }
        }
        known.entry(domain.to_owned()).or_default().clone()
    }
}

/// RFC 8461 §3.1: exactly one record that begins so; its id.
fn record_id<'a>(records: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let mut records = records.filter(|text| text.starts_with(b"v=STSv1;"));
    let (Some(record), None) = (records.next(), records.next()) else { return None };
    let text = std::str::from_utf8(record).ok()?;
    let fields = text.split(';').filter_map(|field| field.split_once('='));
    let id = fields.filter(|(name, _)| name.trim() == "id").map(|(_, id)| id.trim()).next()?;
    let valid = (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    valid.then(|| id.to_owned())
}

#[cfg(test)]
mod tests;
