//! Wakes between simulated processes, by the rules of `shared/aws/src/wake`: an edge writes a row where a watch begins and
//! every hour; who commits reads an account's rows and sends to the edges that they name. Rows are real ones of the store, so
//! the meter counts them; requests to the edges' queues are counted here.

use parking_lot::Mutex;
use penfold_ports::{Account, Name, Query, Row, Sk, Wake, Watch, Watchers, World, Write};
use penfold_types::Modseq;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

const LASTS: Duration = Duration::from_secs(3900);
const REFRESH: Duration = Duration::from_secs(3600);
const LINGERS: Duration = Duration::from_secs(300);
const ROUND: Duration = Duration::from_secs(30);
/// From the send to the edge.
const WAY: Duration = Duration::from_millis(25);
const EXPIRES: Name = Name::new("exp");
const QUEUE: Name = Name::new("q");

/// The edges of one cell.
#[derive(Default)]
pub struct Edges {
    edges: Mutex<BTreeMap<String, Arc<Edge>>>,
    requests: AtomicU64,
}

impl Edges {
    /// Requests to edges' queues: a wake is sent, received and deleted.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The same world for a process that can be woken.
    pub fn edge(self: &Arc<Self>, world: &World, name: &str) -> World {
        let rows = world.named("watch rows");
        let edge = Arc::new(Edge { name: name.to_owned(), world: rows, watchers: Watchers::default(), entries: Mutex::default() });
        self.edges.lock().insert(name.to_owned(), edge.clone());
        tokio::spawn(edge.clone().keep());
        self.world(world, Some(edge))
    }

    /// The same world for a process that only wakes others.
    pub fn function(self: &Arc<Self>, world: &World) -> World {
        self.world(world, None)
    }

    fn world(self: &Arc<Self>, world: &World, own: Option<Arc<Edge>>) -> World {
        let wakes = Wakes { edges: self.clone(), own, world: world.named("wakes") };
        World { wake: Arc::new(wakes), ..world.clone() }
    }

    async fn tell(self: Arc<Self>, world: World, own: Option<String>, account: Account, modseq: Modseq) {
        let Ok(page) = world.table.query(&Query { limit: 100, ..Query::prefix(account.watches(), &Sk::watches()) }).await else { return };
        let now = u64::try_from(world.env.now().seconds()).unwrap_or(0);
        for (sk, row) in page.rows {
            let name = sk.as_bytes().strip_prefix(b"w#").and_then(|name| std::str::from_utf8(name).ok()).map(str::to_owned);
            let Some(name) = name.filter(|name| own.as_ref() != Some(name)) else { continue };
            if row.u64(EXPIRES).is_none_or(|expires| expires <= now) {
                continue;
            }
            self.requests.fetch_add(3, Ordering::Relaxed);
            world.env.sleep(WAY).await;
            let edge = self.edges.lock().get(&name).cloned();
            if let Some(edge) = edge {
                edge.watchers.wake(account, modseq);
            }
        }
    }
}

struct Entry {
    watches: usize,
    written: Option<Instant>,
    idle_since: Instant,
}

struct Edge {
    name: String,
    world: World,
    watchers: Watchers,
    entries: Mutex<BTreeMap<Account, Entry>>,
}

struct Registered(Arc<Edge>, Account);

impl Drop for Registered {
    fn drop(&mut self) {
        let now = self.0.world.env.monotonic();
        if let Some(entry) = self.0.entries.lock().get_mut(&self.1) {
            entry.watches = entry.watches.saturating_sub(1);
            entry.idle_since = now;
        }
    }
}

impl Edge {
    fn register(self: &Arc<Self>, account: Account) -> Registered {
        let now = self.world.env.monotonic();
        let mut entries = self.entries.lock();
        let entry = entries.entry(account).or_insert(Entry { watches: 0, written: None, idle_since: now });
        entry.watches += 1;
        if entry.written.is_none() {
            entry.written = Some(now);
            tokio::spawn(self.clone().write(account, true));
        }
        Registered(self.clone(), account)
    }

    async fn write(self: Arc<Self>, account: Account, first: bool) {
        let expires = u64::try_from(self.world.env.now().plus(LASTS).seconds()).unwrap_or(0);
        let url = format!("https://sqs.us-east-1.amazonaws.com/123456789012/penfold-prod-edge-{}", self.name);
        let row = Row::new().with(EXPIRES, expires).with(QUEUE, url);
        let _ = self.world.table.put(Write::put(account.watch(&self.name), row)).await;
        if first {
            self.watchers.wake(account, Modseq(1));
        }
    }

    async fn keep(self: Arc<Self>) {
        loop {
            self.world.env.sleep(ROUND).await;
            let now = self.world.env.monotonic();
            let (mut old, mut over) = (Vec::new(), Vec::new());
            self.entries.lock().retain(|account, entry| {
                let ended = entry.watches == 0 && now >= entry.idle_since + LINGERS;
                if entry.watches > 0 && entry.written.is_some_and(|at| now >= at + REFRESH) {
                    entry.written = Some(now);
                    old.push(*account);
                } else if ended {
                    over.push(*account);
                }
                !ended
            });
            for account in old {
                self.clone().write(account, false).await;
            }
            for account in over {
                let _ = self.world.table.put(Write::delete(account.watch(&self.name))).await;
            }
        }
    }
}

struct Wakes {
    edges: Arc<Edges>,
    own: Option<Arc<Edge>>,
    world: World,
}

impl Wake for Wakes {
    fn watch(&self, account: Account) -> Watch {
        match &self.own {
            Some(edge) => edge.watchers.watch(account).with(Box::new(edge.register(account))),
            None => self.world.wake.watch(account),
        }
    }

    fn wake(&self, account: Account, modseq: Modseq) {
        let own = self.own.as_ref().map(|edge| {
            edge.watchers.wake(account, modseq);
            edge.name.clone()
        });
        tokio::spawn(self.edges.clone().tell(self.world.clone(), own, account, modseq));
    }
}
