//! The one place from which time, randomness and waiting come. The real one is [`System`]; a simulation brings its own
//! [`Source`] and runs a whole service on virtual time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero where it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Where an [`Env`] takes its clock and its randomness from.
pub trait Source: Send + Sync {
    fn now(&self) -> Timestamp;
    /// Fills `bytes` with unpredictable bits.
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's clock and the operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Source for System {
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    #[allow(clippy::disallowed_methods, clippy::expect_used)]
    fn fill(&self, bytes: &mut [u8]) {
        // Without randomness no key and no id can be made: there is nothing to go on with.
        getrandom::fill(bytes).expect("the operating system gives randomness");
    }
}

/// Cheap to clone; handed to whatever needs the time, an id or a wait.
#[derive(Clone)]
pub struct Env {
    source: Arc<dyn Source>,
}

impl Env {
    pub fn system() -> Self {
        Self::from_source(Arc::new(System))
    }

    pub fn from_source(source: Arc<dyn Source>) -> Self {
        Self { source }
    }

    pub fn now(&self) -> Timestamp {
        self.source.now()
    }

    pub fn fill(&self, bytes: &mut [u8]) {
        self.source.fill(bytes);
    }

    pub fn random_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }

    /// A number below `bound`, which must not be 0. The bias is below 2^-32 for the small bounds of jitter and choice.
    pub fn below(&self, bound: u64) -> u64 {
        self.random_u64() % bound.max(1)
    }

    /// Time for measuring spans; virtual where tokio's clock is paused.
    #[allow(clippy::disallowed_methods)]
    pub fn monotonic(&self) -> tokio::time::Instant {
        tokio::time::Instant::now()
    }

    /// Waits; on virtual time this costs nothing.
    #[allow(clippy::disallowed_methods)]
    pub async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }

    /// Waits between half and all of `span`, so that many who failed together do not come back together.
    pub async fn sleep_jittered(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX / 2).max(2);
        self.sleep(Duration::from_millis(millis / 2 + self.below(millis / 2))).await;
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env")
    }
}
