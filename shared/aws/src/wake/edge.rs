use super::names::{EXPIRES, QUEUE};
use super::orphans::life;
use super::{decode, no_such_queue};
use crate::table::DynamoTable;
use crate::wire::{Failure, Repeat, Wire};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::receive_message::ReceiveMessageError;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName};
use parking_lot::Mutex;
use penfold_ports::{Account, PortError, Row, Table, Units, Wake, Watchers, Write, shared};
use penfold_types::Modseq;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// A row means something for so long, and is written again before that.
const LASTS: Duration = Duration::from_secs(3900);
const REFRESH: Duration = Duration::from_secs(3600);
/// A row stays for so long after the last watch ended: a client that comes back in between costs no write.
const LINGERS: Duration = Duration::from_secs(300);
const ROUND: Duration = Duration::from_secs(30);
/// Rows written at the same time.
const AT_ONCE: usize = 16;
/// Until a failed request is tried again.
const PAUSE: Duration = Duration::from_secs(5);

struct Entry {
    watches: usize,
    written: Option<Instant>,
    idle_since: Instant,
}

#[derive(Default)]
struct State {
    accounts: BTreeMap<Account, Entry>,
    /// Accounts whose rows are to be written now.
    fresh: BTreeSet<Account>,
    spent: Units,
}

/// What an edge needs to be woken: its queue, the rows that name it, and two tasks.
pub(super) struct Edge {
    wire: Arc<Wire>,
    client: Client,
    table: DynamoTable,
    watchers: Arc<Watchers>,
    name: String,
    queue: String,
    url: watch::Sender<Option<String>>,
    state: Mutex<State>,
    bell: tokio::sync::Notify,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// Ends a watch when it is dropped.
pub(super) struct Registered {
    edge: Arc<Edge>,
    account: Account,
}

impl Drop for Registered {
    fn drop(&mut self) {
        let now = self.edge.wire.env.monotonic();
        if let Some(entry) = self.edge.state.lock().accounts.get_mut(&self.account) {
            entry.watches = entry.watches.saturating_sub(1);
            entry.idle_since = now;
        }
    }
}

impl Edge {
    pub(super) fn start(
        wire: Arc<Wire>,
        client: Client,
        table: DynamoTable,
        watchers: Arc<Watchers>,
        name: String,
        queue: String,
    ) -> Arc<Self> {
        let edge = Arc::new(Self {
            wire,
            client,
            table,
            watchers,
            name,
            queue,
            url: watch::Sender::new(None),
            state: Mutex::default(),
            bell: tokio::sync::Notify::new(),
            tasks: Mutex::default(),
        });
        let (reader, keeper) = (edge.clone(), edge.clone());
        *edge.tasks.lock() = vec![tokio::spawn(reader.read()), tokio::spawn(keeper.keep())];
        edge
    }

    pub(super) fn spent(&self) -> Units {
        self.state.lock().spent
    }

    pub(super) async fn ready(&self) {
        let _ = self.url.subscribe().wait_for(Option::is_some).await;
    }

    pub(super) fn register(self: &Arc<Self>, account: Account) -> Registered {
        let now = self.wire.env.monotonic();
        let mut state = self.state.lock();
        let entry = state.accounts.entry(account).or_insert(Entry { watches: 0, written: None, idle_since: now });
        entry.watches += 1;
        if entry.written.is_none() {
            state.fresh.insert(account);
            self.bell.notify_one();
        }
        Registered { edge: self.clone(), account }
    }

    /// Makes the queue and reads it for as long as the process lives.
    async fn read(self: Arc<Self>) {
        loop {
            match self.make_queue().await {
                Ok(url) => {
                    self.url.send_replace(Some(url.clone()));
                    self.read_queue(&url).await;
                }
                // A queue of that name that was deleted a minute ago cannot be made yet.
                Err(error) => tracing::warn!(%error, queue = self.queue, "this edge cannot be woken yet"),
            }
            self.wire.env.sleep_jittered(PAUSE).await;
        }
    }

    /// Until somebody deletes the queue: an edge that could not note its life for a day is taken for dead.
    async fn read_queue(&self, url: &str) {
        loop {
            match self.read_some(url).await {
                Ok(()) => {}
                Err(failure) if no_such_queue(failure.code()) => {
                    tracing::warn!(queue = self.queue, "this edge's queue is gone; it is made again");
                    return;
                }
                Err(failure) => {
                    tracing::warn!(error = %failure.of_read(), "wakes cannot be received");
                    self.wire.env.sleep_jittered(PAUSE).await;
                }
            }
        }
    }

    async fn make_queue(&self) -> Result<String, PortError> {
        let request = self
            .client
            .create_queue()
            .queue_name(&self.queue)
            .attributes(QueueAttributeName::MessageRetentionPeriod, "300")
            .attributes(QueueAttributeName::VisibilityTimeout, "30")
            .attributes(QueueAttributeName::ReceiveMessageWaitTimeSeconds, "20");
        let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(Failure::of_write)?;
        answer.queue_url.ok_or_else(|| PortError::Broken("SQS made a queue without a URL".to_owned()))
    }

    async fn read_some(&self, url: &str) -> Result<(), Failure<ReceiveMessageError>> {
        let request = self.client.receive_message().queue_url(url).max_number_of_messages(10).wait_time_seconds(20);
        let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await?;
        self.state.lock().spent.queue += 1;
        let messages = answer.messages.unwrap_or_default();
        let mut entries = Vec::with_capacity(messages.len());
        for (at, message) in messages.into_iter().enumerate() {
            if let Some((account, modseq)) = message.body.as_deref().and_then(decode) {
                self.watchers.wake(account, modseq);
            }
            let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string()).set_receipt_handle(message.receipt_handle);
            entries.extend(entry.build().ok());
        }
        if entries.is_empty() {
            return Ok(());
        }
        self.state.lock().spent.queue += 1;
        let request = self.client.delete_message_batch().queue_url(url).set_entries(Some(entries));
        if let Err(failure) = self.wire.call(Repeat::Safe, || request.clone().send()).await {
            tracing::debug!(error = %failure.of_write(), "wakes come again");
        }
        Ok(())
    }

    /// Writes rows where a watch begins, again while it lasts, and takes them away some time after it ended.
    async fn keep(self: Arc<Self>) {
        self.ready().await;
        let mut round = self.wire.env.monotonic() + ROUND;
        let mut noted = self.note_life().await;
        loop {
            let fresh = std::mem::take(&mut self.state.lock().fresh);
            self.each(fresh, true).await;
            let now = self.wire.env.monotonic();
            if now >= round {
                round = now + ROUND;
                if noted.is_none_or(|noted| now >= noted + REFRESH) {
                    noted = self.note_life().await;
                }
                let (old, over) = self.due(now);
                self.each(old, true).await;
                self.each(over, false).await;
            }
            tokio::select! {
                biased;
                () = self.bell.notified() => {}
                () = self.wire.env.sleep(round.saturating_duration_since(now)) => {}
            }
        }
    }

    /// When it was done; the next round does it where it could not be.
    async fn note_life(&self) -> Option<Instant> {
        let mut spent = Units::default();
        let put = self.table.put(life(&self.wire.env, &self.name), &mut spent).await;
        self.state.lock().spent += spent;
        match put {
            Ok(()) => Some(self.wire.env.monotonic()),
            Err(error) => {
                tracing::warn!(%error, "others do not know yet that this edge lives");
                None
            }
        }
    }

    /// Accounts whose rows are to be written again, and those whose watches are over.
    fn due(&self, now: Instant) -> (BTreeSet<Account>, BTreeSet<Account>) {
        let state = self.state.lock();
        let idle = |entry: &Entry| entry.watches == 0 && now >= entry.idle_since + LINGERS;
        let old = |entry: &Entry| entry.watches > 0 && entry.written.is_none_or(|written| now >= written + REFRESH);
        let find = |what: &dyn Fn(&Entry) -> bool| state.accounts.iter().filter(|(_, e)| what(e)).map(|(account, _)| *account).collect();
        (find(&old), find(&idle))
    }

    async fn each(self: &Arc<Self>, accounts: BTreeSet<Account>, write: bool) {
        let mut tasks = JoinSet::new();
        for account in accounts {
            if tasks.len() >= AT_ONCE {
                tasks.join_next().await;
            }
            let edge = self.clone();
            tasks.spawn(async move { if write { edge.write(account).await } else { edge.remove(account).await } });
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn write(&self, account: Account) {
        let Some(url) = self.url.borrow().clone() else { return };
        let expires = u64::try_from(self.wire.env.now().plus(LASTS).seconds()).unwrap_or(0);
        let row = Row::new().with(EXPIRES, expires).with(QUEUE, url);
        let mut spent = Units::default();
        let put = self.table.put(Write::put(account.watch(&self.name), row), &mut spent).await;
        let mut state = self.state.lock();
        state.spent += spent;
        match put {
            Ok(()) => {
                let now = self.wire.env.monotonic();
                let first = state.accounts.get_mut(&account).is_some_and(|entry| entry.written.replace(now).is_none());
                drop(state);
                if first {
                    // What was committed since the watch began and before the row stood woke nobody: look once.
                    self.watchers.wake(account, Modseq(1));
                }
            }
            // The next round finds it.
            Err(error) => tracing::warn!(%error, "a watch is not known to others yet"),
        }
    }

    async fn remove(&self, account: Account) {
        if self.state.lock().accounts.get(&account).is_some_and(|entry| entry.watches > 0) {
            return;
        }
        let mut spent = Units::default();
        let gone = self.table.put(Write::delete(account.watch(&self.name)), &mut spent).await;
        let mut state = self.state.lock();
        state.spent += spent;
        if gone.is_err() {
            return;
        }
        match state.accounts.get_mut(&account) {
            // A watch began meanwhile, and took the row for standing.
            Some(entry) if entry.watches > 0 => {
                entry.written = None;
                state.fresh.insert(account);
                drop(state);
                self.bell.notify_one();
            }
            _ => {
                state.accounts.remove(&account);
            }
        }
    }

    /// Ends the tasks and deletes the queue. The rows are left: senders take away what names a queue that is gone.
    pub(super) async fn close(&self) {
        for task in std::mem::take(&mut *self.tasks.lock()) {
            task.abort();
        }
        let Some(url) = self.url.send_replace(None) else { return };
        let request = self.client.delete_queue().queue_url(url);
        if let Err(failure) = self.wire.call(Repeat::Safe, || request.clone().send()).await {
            tracing::warn!(error = %failure.of_write(), queue = self.queue, "this edge's queue is left behind");
            return;
        }
        // What stays behind here expires.
        let _ = self.table.put(Write::delete(shared::edge(&self.name)), &mut Units::default()).await;
    }
}
