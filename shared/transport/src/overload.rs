//! Shedding load before the bytes come: a peer that is told to come back keeps the message, and loses nothing.

use crate::{Inner, Refusal, Transport};
use parking_lot::Mutex;
use penfold_ports::QueueName;
use penfold_types::{Env, TenantId};
use std::time::Duration;
use tokio::time::Instant;

/// How long what was found is believed.
const FRESH: Duration = Duration::from_millis(500);
/// How long after a write that found no room no other is tried.
const FULL: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(crate) struct Load {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Until when to believe that there is no overload.
    calm: Option<Instant>,
    full: Option<Instant>,
}

impl Load {
    pub fn is_full(&self, env: &Env) {
        self.state.lock().full = Some(env.monotonic() + FULL);
    }
}

impl Transport {
    /// Whether a message may begin at all.
    pub async fn ready(&self) -> Result<(), Refusal> {
        let (inner, now) = (&self.0, self.0.world.env.monotonic());
        {
            let state = inner.load.state.lock();
            if state.full.is_some_and(|until| until > now) {
                return Err(Refusal::Busy);
            }
            if state.calm.is_some_and(|until| until > now) {
                return Ok(());
            }
        }
        let oldest = inner.world.queue.oldest(QueueName::Deliver).await.map_err(penfold_types::Error::from)?;
        if oldest > inner.settings.oldest {
            return Err(Refusal::Busy);
        }
        inner.load.state.lock().calm = Some(now + FRESH);
        Ok(())
    }
}

impl Inner {
    /// Whether a tenant has jobs left to its share: one tenant's mailing must not fill the queue for all.
    pub(crate) async fn has_share(&self, tenant: TenantId) -> Result<(), Refusal> {
        let waiting = self.world.queue.backlog(QueueName::Deliver, tenant).await.map_err(penfold_types::Error::from)?;
        if waiting >= self.settings.share { Err(Refusal::Busy) } else { Ok(()) }
    }
}
