//! How often somebody may ask. A bucket holds what may come at once and fills again evenly; who empties it is told when to
//! come back. Buckets are kept by this process alone, so with several processes a limit is at most so many times as high.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;
use penfold_types::Env;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Buckets that are remembered; beyond, those that are full again are forgotten first, then all.
const BUCKETS: usize = 50_000;
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// So many requests in a window, of which all may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub quota: u32,
    pub window: Duration,
}

impl Rate {
    pub const fn per_minute(quota: u32) -> Self {
        Self { quota, window: Duration::from_secs(60) }
    }
}

#[derive(Clone)]
pub struct Limits {
    env: Env,
    buckets: Arc<Mutex<HashMap<String, Bucket>>>,
    /// Of one person or token.
    pub caller: Rate,
    /// Of a whole tenant.
    pub tenant: Rate,
    /// Of a network whose people have not signed in.
    pub network: Rate,
}

struct Bucket {
    left: f64,
    at: Instant,
}

/// What a request left of a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    name: &'static str,
    rate: Rate,
    left: u32,
    /// Until one more may come.
    pub wait: Duration,
    pub refused: bool,
}

impl Limits {
    pub fn new(env: Env) -> Self {
        Self {
            env,
            buckets: Arc::default(),
            caller: Rate::per_minute(1200),
            tenant: Rate::per_minute(6000),
            network: Rate::per_minute(120),
        }
    }

    /// Takes one out of the bucket of `key`.
    pub(crate) fn take(&self, name: &'static str, key: &str, rate: Rate) -> Left {
        let now = self.env.monotonic();
        let (quota, window) = (f64::from(rate.quota), rate.window.as_secs_f64());
        let mut buckets = self.buckets.lock();
        if buckets.len() >= BUCKETS && !buckets.contains_key(key) {
            buckets.retain(|_, bucket| now - bucket.at < rate.window);
            if buckets.len() >= BUCKETS {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(key.to_owned()).or_insert(Bucket { left: quota, at: now });
        bucket.left = (bucket.left + (now - bucket.at).as_secs_f64() * quota / window).min(quota);
        bucket.at = now;
        let refused = bucket.left < 1.0;
        if !refused {
            bucket.left -= 1.0;
        }
        let missing = (1.0 - bucket.left).max(0.0);
        Left { name, rate, left: bucket.left as u32, wait: Duration::from_secs_f64(missing * window / quota), refused }
    }
}

impl Left {
    /// The fields of draft-ietf-httpapi-ratelimit-headers: the policy, and what is left of it.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let (name, rate) = (self.name, self.rate);
        let policy = format!("\"{name}\";q={};w={}", rate.quota, rate.window.as_secs());
        let left = format!("\"{name}\";r={};t={}", self.left, self.wait.as_secs_f64().ceil() as u64);
        for (field, text) in [(POLICY, policy), (LEFT, left)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(field, value);
            }
        }
    }
}
