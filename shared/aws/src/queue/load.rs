//! How much waits, for shedding load. SQS tells neither the age of its oldest message nor whose its messages are, so both
//! are estimates; nothing but the shedding of load depends on them.

use super::Shared;
use parking_lot::Mutex;
use penfold_ports::{Key, PortError, Row, Sk, Table, Units, Write};
use penfold_types::{TenantId, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long what SQS said of itself is believed.
const BELIEVED: Duration = Duration::from_secs(1);
/// A tenant's sendings are remembered for one to two of these.
const WINDOW: Duration = Duration::from_secs(120);
/// Between two writings of the row, where the lag is worth a word and where it is not.
const BEHIND: Duration = Duration::from_secs(5);
const CALM: Duration = Duration::from_secs(30);
/// Of a lag that nobody has spoken of for so long, nothing is known.
const STALE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Sent {
    this: usize,
    last: usize,
}

#[derive(Clone, Copy)]
struct Seen {
    at: Instant,
    visible: u64,
    /// Since when every look found something waiting.
    busy_since: Option<Instant>,
}

#[derive(Default)]
struct State {
    sent: BTreeMap<TenantId, Sent>,
    window: Option<Instant>,
    seen: Option<Seen>,
    /// A look is wanted, because this process changed something.
    changed: bool,
    row: Option<(Instant, Option<Lag>)>,
    written: Option<(Instant, Duration)>,
}

/// What a consumer wrote.
#[derive(Clone, Copy)]
struct Lag {
    at: Timestamp,
    lag: Duration,
}

#[derive(Default)]
pub(super) struct Load(Mutex<State>);

impl State {
    fn turn(&mut self, now: Instant) {
        let begun = *self.window.get_or_insert(now);
        if now < begun + WINDOW {
            return;
        }
        let both = now >= begun + 2 * WINDOW;
        self.sent.retain(|_, sent| {
            sent.last = if both { 0 } else { sent.this };
            sent.this = 0;
            sent.last > 0
        });
        self.window = Some(now);
    }
}

impl Load {
    pub(super) fn sent(&self, now: Instant, tenant: TenantId, jobs: usize) {
        let mut state = self.0.lock();
        state.turn(now);
        state.sent.entry(tenant).or_default().this += jobs;
        state.changed = true;
    }

    pub(super) fn received(&self, now: Instant, tenant: TenantId) {
        let mut state = self.0.lock();
        state.turn(now);
        state.changed = true;
        if let Some(sent) = state.sent.get_mut(&tenant) {
            let from = if sent.last > 0 { &mut sent.last } else { &mut sent.this };
            *from = from.saturating_sub(1);
        }
    }

    pub(super) fn changed(&self) {
        self.0.lock().changed = true;
    }

    fn of(&self, now: Instant, tenant: TenantId) -> usize {
        let mut state = self.0.lock();
        state.turn(now);
        state.sent.get(&tenant).map_or(0, |sent| sent.this + sent.last)
    }

    /// Whether a consumer that is so far behind should say so now.
    fn should_write(&self, now: Instant, lag: Duration) -> bool {
        let mut state = self.0.lock();
        let pause = match state.written {
            None => Duration::ZERO,
            Some((_, before)) if lag >= BEHIND || before >= BEHIND => BEHIND,
            Some(_) => CALM,
        };
        let due = state.written.is_none_or(|(at, _)| now >= at + pause);
        if due {
            state.written = Some((now, lag));
        }
        due
    }
}

impl Shared {
    fn lag_key(&self) -> Key {
        Key::from_stored(self.pk.clone(), Sk::text("lag"))
    }

    async fn look(&self) -> Result<Seen, PortError> {
        let now = self.wire.env.monotonic();
        let known = {
            let state = self.load.0.lock();
            state.seen.filter(|seen| !state.changed && now < seen.at + BELIEVED)
        };
        if let Some(seen) = known {
            return Ok(seen);
        }
        self.load.0.lock().changed = false;
        let visible = self.count_visible().await?;
        let mut state = self.load.0.lock();
        let busy_since = (visible > 0).then(|| state.seen.and_then(|seen| seen.busy_since).unwrap_or(now));
        let seen = Seen { at: now, visible, busy_since };
        state.seen = Some(seen);
        Ok(seen)
    }

    pub(super) async fn backlog_of(&self, tenant: TenantId) -> Result<usize, PortError> {
        let own = self.load.of(self.wire.env.monotonic(), tenant);
        if own == 0 {
            return Ok(0);
        }
        Ok(own.min(usize::try_from(self.look().await?.visible).unwrap_or(usize::MAX)))
    }

    async fn lag_row(&self, now: Instant) -> Result<Option<Lag>, PortError> {
        let known = self.load.0.lock().row.filter(|(at, _)| now < *at + BELIEVED);
        if let Some((_, lag)) = known {
            return Ok(lag);
        }
        let mut spent = Units::default();
        let row = self.table.get(&self.lag_key(), &mut spent).await?;
        self.aside(spent);
        let read = |row: &Row| {
            let at = i64::try_from(row.u64("at")?).ok()?;
            Some(Lag { at: Timestamp::from_millis(at), lag: Duration::from_millis(row.u64("lag")?) })
        };
        let lag = row.as_ref().and_then(read);
        self.load.0.lock().row = Some((now, lag));
        Ok(lag)
    }

    pub(super) async fn oldest_age(&self) -> Result<Duration, PortError> {
        let Some(busy_since) = self.look().await?.busy_since else { return Ok(Duration::ZERO) };
        let now = self.wire.env.monotonic();
        let busy = now.saturating_duration_since(busy_since);
        let lag = self.lag_row(now).await?;
        let silent = lag.map_or(Duration::MAX, |lag| self.wire.env.now().since(lag.at));
        if silent < STALE {
            return Ok(lag.map_or(Duration::ZERO, |lag| lag.lag));
        }
        // Nobody has taken a job since before the queue began to be busy, as far as is known here.
        Ok(busy.min(silent).saturating_sub(CALM))
    }

    /// What a consumer sees of the queue's age when jobs come in; written aside, now and then.
    pub(super) fn note_lag(self: &std::sync::Arc<Self>, oldest: Timestamp) {
        let now = self.wire.env.now();
        let lag = now.since(oldest);
        if !self.load.should_write(self.wire.env.monotonic(), lag) {
            return;
        }
        let millis = |n: i64| u64::try_from(n).unwrap_or(0);
        let row = Row::new().with("at", millis(now.millis())).with("lag", u64::try_from(lag.as_millis()).unwrap_or(u64::MAX));
        let shared = self.clone();
        self.spawn(async move {
            let mut spent = Units::default();
            let put = shared.table.put(Write::put(shared.lag_key(), row), &mut spent).await;
            shared.aside(spent);
            if let Err(error) = put {
                tracing::debug!(%error, "how far behind the queue is could not be noted");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use penfold_types::Env;

    #[tokio::test(start_paused = true)]
    async fn sendings_are_forgotten_by_and_by() {
        let (env, load) = (Env::system(), Load::default());
        let tenant = TenantId::new(&env);
        load.sent(env.monotonic(), tenant, 3);
        load.received(env.monotonic(), tenant);
        assert_eq!(load.of(env.monotonic(), tenant), 2);
        env.sleep(WINDOW).await;
        load.sent(env.monotonic(), tenant, 1);
        assert_eq!(load.of(env.monotonic(), tenant), 3);
        env.sleep(WINDOW).await;
        assert_eq!(load.of(env.monotonic(), tenant), 1);
        env.sleep(WINDOW * 2).await;
        assert_eq!(load.of(env.monotonic(), tenant), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lag_is_written_now_and_then() {
        let (env, load) = (Env::system(), Load::default());
        let write = |lag| load.should_write(env.monotonic(), Duration::from_secs(lag));
        assert!(write(0));
        assert!(!write(0));
        env.sleep(BEHIND).await;
        assert!(!write(0), "nothing to say");
        assert!(write(9));
        env.sleep(BEHIND).await;
        assert!(write(0), "over");
        env.sleep(CALM).await;
        assert!(write(0), "still there");
    }
}
