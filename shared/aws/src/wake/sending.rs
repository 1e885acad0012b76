use super::names::{EXPIRES, QUEUE};
use super::{encode, no_such_queue};
use crate::table::DynamoTable;
use crate::wire::{Failure, Repeat, Wire};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use parking_lot::Mutex;
use penfold_ports::{Account, PortError, Query, Row, Sk, Table, Units, When, Write};
use penfold_types::Modseq;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// Accounts whose watch rows are read at the same time.
const AT_ONCE: usize = 32;
/// Accounts that may wait for it; wakes of more are lost.
const WAITING: usize = 10_000;
/// Edges that are woken for one account.
const EDGES: usize = 100;
const BATCH: usize = 10;

#[derive(Default)]
struct State {
    /// Accounts to be told of, each once, at its newest.
    accounts: BTreeMap<Account, Modseq>,
    running: usize,
    /// What waits for each queue; there is an entry while somebody sends to it.
    queues: BTreeMap<String, BTreeMap<Account, Wanted>>,
    spent: Units,
}

/// One edge that is to hear of an account.
#[derive(Clone, Debug)]
struct Wanted {
    modseq: Modseq,
    edge: String,
    expires: u64,
}

pub(super) struct Sending {
    wire: Arc<Wire>,
    client: Client,
    table: DynamoTable,
    /// The own edge hears of it without a queue.
    own: Option<String>,
    state: Mutex<State>,
    idle: Notify,
}

impl Sending {
    pub(super) fn new(wire: Arc<Wire>, client: Client, table: DynamoTable, own: Option<String>) -> Self {
        Self { wire, client, table, own, state: Mutex::default(), idle: Notify::new() }
    }

    pub(super) fn spent(&self) -> Units {
        self.state.lock().spent
    }

    pub(super) fn add(self: &Arc<Self>, account: Account, modseq: Modseq) {
        let mut state = self.state.lock();
        if state.accounts.len() >= WAITING && !state.accounts.contains_key(&account) {
            return;
        }
        let newest = state.accounts.entry(account).or_default();
        *newest = modseq.max(*newest);
        if state.running < AT_ONCE {
            state.running += 1;
            drop(state);
            tokio::spawn(self.clone().run());
        }
    }

    async fn run(self: Arc<Self>) {
        loop {
            let next = self.state.lock().accounts.pop_first();
            let Some((account, modseq)) = next else { break };
            if let Err(error) = self.tell(account, modseq).await {
                tracing::debug!(%error, "a wake is lost");
            }
        }
        self.state.lock().running -= 1;
        self.idle.notify_waiters();
    }

    pub(super) async fn drain(&self) {
        loop {
            let idle = self.idle.notified();
            let busy = {
                let state = self.state.lock();
                state.running > 0 || !state.queues.is_empty()
            };
            if !busy {
                return;
            }
            idle.await;
        }
    }

    async fn tell(self: &Arc<Self>, account: Account, modseq: Modseq) -> Result<(), PortError> {
        let mut spent = Units::default();
        let query = Query { limit: EDGES, ..Query::prefix(account.watches(), &Sk::watches()) };
        let page = self.table.query(&query, &mut spent).await;
        self.state.lock().spent += spent;
        let now = u64::try_from(self.wire.env.now().seconds()).unwrap_or(0);
        for (sk, row) in page?.rows {
            let Some((edge, expires, queue)) = read_watch(&sk, &row) else { continue };
            if expires > now && self.own.as_deref() != Some(edge) {
                self.put(queue, account, Wanted { modseq, edge: edge.to_owned(), expires });
            }
        }
        Ok(())
    }

    fn put(self: &Arc<Self>, queue: &str, account: Account, wanted: Wanted) {
        let mut state = self.state.lock();
        let begins = !state.queues.contains_key(queue);
        state.queues.entry(queue.to_owned()).or_default().insert(account, wanted);
        if begins {
            drop(state);
            tokio::spawn(self.clone().send(queue.to_owned()));
        }
    }

    /// While one request is under way the next fills up, so that many wakes share a request and a lone one waits for none.
    async fn send(self: Arc<Self>, queue: String) {
        loop {
            let batch: Vec<(Account, Wanted)> = {
                let mut state = self.state.lock();
                let waiting = state.queues.entry(queue.clone()).or_default();
                let batch = (0..BATCH).map_while(|_| waiting.pop_first()).collect::<Vec<_>>();
                if batch.is_empty() {
                    state.queues.remove(&queue);
                    break;
                }
                state.spent.queue += 1;
                batch
            };
            self.send_batch(&queue, batch).await;
        }
        self.idle.notify_waiters();
    }

    async fn send_batch(&self, queue: &str, batch: Vec<(Account, Wanted)>) {
        let entry = |(at, (account, wanted)): (usize, &(Account, Wanted))| {
            let entry = SendMessageBatchRequestEntry::builder().id(at.to_string());
            entry.message_body(encode(*account, wanted.modseq)).build().ok()
        };
        let entries: Vec<_> = batch.iter().enumerate().filter_map(entry).collect();
        let request = self.client.send_message_batch().queue_url(queue).set_entries(Some(entries));
        match self.wire.call(Repeat::Safe, || request.clone().send()).await {
            Ok(_) => {}
            Err(failure) if no_such_queue(failure.code()) => self.forget(batch).await,
            Err(failure) => tracing::debug!(error = %Failure::of_write(failure), "wakes are lost"),
        }
    }

    /// The edge is gone without having taken its rows along.
    async fn forget(&self, batch: Vec<(Account, Wanted)>) {
        let mut spent = Units::default();
        for (account, wanted) in batch {
            // Unless it came back and has written the row anew.
            let when = When::Equal(vec![(EXPIRES, wanted.expires.into())]);
            let _ = self.table.put(Write::Delete { key: account.watch(&wanted.edge), when }, &mut spent).await;
        }
        self.state.lock().spent += spent;
    }
}

/// The edge, until when it watches, and its queue.
fn read_watch<'a>(sk: &'a Sk, row: &'a Row) -> Option<(&'a str, u64, &'a str)> {
    let edge = std::str::from_utf8(sk.as_bytes().strip_prefix(b"w#")?).ok()?;
    Some((edge, row.u64(EXPIRES)?, row.str(QUEUE)?))
}
