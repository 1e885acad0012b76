//! Counts facts in memory, so that a message or a session costs no write of its own, and writes them into rows every few
//! minutes. Best effort on purpose: what a process that dies had not written is not reported, and what is too much is dropped.

use crate::facts::{DmarcFact, Fact, Kind, TlsFact, rows};
use crate::time;
use parking_lot::Mutex;
use penfold_ports::{World, Write, shared};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Facts that differ and wait to be written; those beyond are dropped. A fact has some 3 KB at most.
const WAITING: usize = 10_000;
/// How long they are gathered. A day is reported an hour after its end.
const GATHER: Duration = Duration::from_secs(300);

/// Bytes of a policy's text, and of its hosts, that are told of.
const POLICY: usize = 1024;

/// Leaves out what is too much.
fn cut(texts: &mut Vec<String>) {
    let mut room = POLICY;
    let fit = texts.iter().take_while(|text| {
        let fits = text.len() <= room;
        room = room.saturating_sub(text.len());
        fits
    });
    texts.truncate(fit.count());
    texts.shrink_to_fit();
}

type Waiting = BTreeMap<(i64, Kind, String), BTreeMap<Fact, u64>>;

/// Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Tally {
    world: World,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    waiting: Mutex<(Waiting, usize)>,
    much: Notify,
}

impl Tally {
    pub fn new(world: &World) -> Self {
        Self { world: world.named("reports"), inner: Arc::default() }
    }

    pub fn message(&self, fact: DmarcFact) {
        let domain = fact.policy.domain.clone();
        self.count(Kind::Dmarc, domain, Fact::Dmarc(Box::new(fact)));
    }

    /// `domain`: the recipients', whose policy may be as long as they like.
    pub fn session(&self, domain: String, mut fact: TlsFact) {
        cut(&mut fact.policy.policy_string);
        cut(&mut fact.policy.mx_host);
        self.count(Kind::Tls, domain, Fact::Tls(Box::new(fact)));
    }

    fn count(&self, kind: Kind, domain: String, fact: Fact) {
        // A name that cannot be one would only make odd keys.
        if domain.parse::<penfold_types::Domain>().is_err() {
            return;
        }
        let day = time::day(self.world.env.now());
        let mut waiting = self.inner.waiting.lock();
        let (days, different) = &mut *waiting;
        let full = *different >= WAITING;
        let key = (day, kind, domain);
        if let Some(count) = days.get_mut(&key).and_then(|facts| facts.get_mut(&fact)) {
            *count += 1;
        } else if !full {
            days.entry(key).or_default().insert(fact, 1);
            *different += 1;
            if *different == WAITING / 2 {
                self.inner.much.notify_one();
            }
        }
    }

    /// Writes in the background until the shutdown, and once more then.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                () = self.inner.much.notified() => (),
                () = self.world.env.sleep_jittered(GATHER) => (),
            }
            self.flush().await;
        }
        self.flush().await;
    }

    /// Writes what was counted so far.
    pub async fn flush(&self) {
        let (days, _) = std::mem::take(&mut *self.inner.waiting.lock());
        for ((day, kind, domain), facts) in days {
            for row in rows(&facts) {
                let key = shared::fact(kind.letter(), day, &domain, self.world.env.random_u64());
                if let Err(error) = self.world.table.put(Write::put(key, row)).await {
                    tracing::warn!(%error, %domain, "some facts for reports were dropped");
                }
            }
        }
    }
}
