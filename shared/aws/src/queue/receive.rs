use super::buffer::{Held, Source};
use super::message::{Body, Content, Incoming, decode};
use super::{SLACK, Shared, apart, handles};
use penfold_ports::{Blobs, Job, PortError, Queue, Receipt, Received, Units};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// Where all that is here belongs to one tenant and there is more: requests to look further, so that tenants get turns.
const LOOKS: usize = 4;
/// Between two looks that do not wait for messages themselves.
const PAUSE: Duration = Duration::from_secs(1);

impl Shared {
    pub(super) async fn receive_jobs(
        self: &Arc<Self>,
        max: usize,
        hidden: Duration,
        spent: &mut Units,
    ) -> Result<Vec<Received>, PortError> {
        loop {
            if self.closed.load(Ordering::Acquire) {
                return Err(PortError::Broken("the queue was closed".to_owned()));
            }
            let mut bell = std::pin::pin!(self.bell.notified());
            bell.as_mut().enable();
            self.tidy(hidden, spent).await?;
            let received = self.hand_out(max, hidden);
            if !received.is_empty() {
                return Ok(received);
            }
            let guard = tokio::select! {
                biased;
                () = bell.as_mut() => continue,
                guard = self.polling.clone().lock_owned() => guard,
            };
            if self.buffer.lock().is_ready() {
                continue;
            }
            // The request goes on where this caller goes away: what it brings stays here.
            let shared = self.clone();
            let poll = tokio::spawn(async move {
                let _guard = guard;
                let mut spent = Units::default();
                let found = shared.poll(shared.wait, hidden, &mut spent).await;
                if found != Ok(false) {
                    shared.bell.notify_waiters();
                }
                (spent, found)
            });
            let found = match poll.await {
                Ok((units, found)) => {
                    *spent += units;
                    found?
                }
                Err(error) => return Err(PortError::Broken(format!("a poll died: {error}"))),
            };
            if !found && self.wait.is_zero() {
                let due = self.buffer.lock().next_due().map_or(PAUSE, |due| due.saturating_duration_since(self.now()).min(PAUSE));
                tokio::select! {
                    biased;
                    () = bell.as_mut() => {}
                    () = self.wire.env.sleep(due.max(Duration::from_millis(1))) => {}
                }
            }
        }
    }

    /// Takes in what a function was given, and hands all of it out, group by group.
    pub(crate) async fn admit(self: &Arc<Self>, messages: Vec<Incoming>, hidden: Duration) -> Result<Vec<Vec<Received>>, PortError> {
        self.deleted.lock().get_or_insert_default();
        let mut spent = Units::default();
        let until = self.now() + hidden;
        let taken = self.take_in(messages, until, &mut spent).await;
        self.aside(spent);
        taken?;
        let mut groups = Vec::new();
        loop {
            let jobs = self.hand_out(super::requests::BATCH, hidden);
            if jobs.is_empty() {
                return Ok(groups);
            }
            groups.push(jobs);
        }
    }

    /// The ids of messages that were not deleted.
    pub(crate) fn unfinished(&self, messages: &[Incoming]) -> Vec<String> {
        let mut deleted = self.deleted.lock();
        let deleted = deleted.get_or_insert_default();
        messages.iter().filter(|message| !deleted.remove(&message.handle)).map(|message| message.id.clone()).collect()
    }

    fn hand_out(self: &Arc<Self>, max: usize, hidden: Duration) -> Vec<Received> {
        let mut buffer = self.buffer.lock();
        let (received, locks) = buffer.take(max, self.now(), hidden);
        if buffer.is_ready() {
            self.bell.notify_waiters();
        }
        drop(buffer);
        if !locks.is_empty() {
            // The message that holds a released group is to be kept for as long as the group's rows are out.
            let shared = self.clone();
            self.spawn(async move {
                let mut spent = Units::default();
                if let Err(error) = shared.hide(locks.into_iter().collect(), hidden + SLACK, &mut spent).await {
                    tracing::debug!(%error, "a released group may come again too early");
                }
                shared.aside(spent);
            });
        }
        received
    }

    /// Gives back what was out for too long, and what would come too late.
    async fn tidy(self: &Arc<Self>, hidden: Duration, spent: &mut Units) -> Result<(), PortError> {
        let now = self.now();
        let (late, messages) = {
            let mut buffer = self.buffer.lock();
            let groups = buffer.late_groups(now, hidden);
            let messages: Vec<_> = groups.iter().flat_map(|group| buffer.drop_waiting(group)).collect();
            (buffer.expire(now), messages)
        };
        if late.is_empty() && messages.is_empty() {
            return Ok(());
        }
        let shared = self.clone();
        let work = async move {
            let mut spent = Units::default();
            let given = shared.hide(handles(messages), Duration::ZERO, &mut spent).await;
            let result = shared.failed(late, &mut spent).await;
            (spent, given.map(drop).and(result))
        };
        apart(work, spent).await
    }

    /// Jobs came back without being done: they and what waits behind them go back to the queue, or are given up.
    pub(super) async fn failed(self: &Arc<Self>, held: Vec<Held>, spent: &mut Units) -> Result<(), PortError> {
        let groups: BTreeSet<&String> = held.iter().map(|held| &held.job.group).collect();
        let behind: Vec<Incoming> = {
            let mut buffer = self.buffer.lock();
            groups.into_iter().flat_map(|group| buffer.drop_waiting(group)).collect()
        };
        let mut back = Vec::new();
        for held in held {
            let dead = held.attempt >= <dyn Queue>::ATTEMPTS;
            match &held.source {
                Source::Message { message, .. } if !dead => back.push(message.handle.clone()),
                Source::Message { message, .. } => self.park(&held.job, message, held.attempt, spent).await?,
                Source::Row { key, lock } => self.row_failed(key, *lock, &held, spent).await?,
            }
        }
        back.extend(behind.into_iter().map(|message| message.handle));
        // Where SQS refuses, they are back already.
        self.hide(back, Duration::ZERO, spent).await.map(drop)
    }

    pub(super) async fn extend_jobs(self: &Arc<Self>, receipts: &[Receipt], hidden: Duration, spent: &mut Units) -> Result<(), PortError> {
        self.tidy(Duration::ZERO, spent).await?;
        let messages = self.buffer.lock().extend(receipts, self.now() + hidden).ok_or(PortError::Missing)?;
        if self.hide(messages.into_iter().collect(), hidden + SLACK, spent).await? { Ok(()) } else { Err(PortError::Missing) }
    }

    /// Asks SQS for messages and puts them here. True where there were some.
    pub(super) async fn poll(self: &Arc<Self>, wait: Duration, hidden: Duration, spent: &mut Units) -> Result<bool, PortError> {
        let mut found = false;
        for look in 0..LOOKS {
            let wait = if look == 0 { wait } else { Duration::ZERO };
            let asked = self.now();
            let messages = self.receive_some(wait, hidden + SLACK, spent).await?;
            found |= !messages.is_empty();
            let full = messages.len() == super::requests::BATCH;
            // Hidden from when SQS answered, which was after it was asked.
            self.take_in(messages, asked + hidden + SLACK, spent).await?;
            if !full || self.buffer.lock().tenants().len() > 1 {
                break;
            }
        }
        Ok(found)
    }

    /// Puts messages where they belong: here, or behind a parked group's others.
    pub(super) async fn take_in(self: &Arc<Self>, messages: Vec<Incoming>, until: Instant, spent: &mut Units) -> Result<(), PortError> {
        let Some(oldest) = messages.iter().map(|message| message.sent).min() else { return Ok(()) };
        self.note_lag(oldest);
        self.freshen_marks().await?;
        let mut back: Vec<Incoming> = Vec::new();
        let mut go_on = Vec::new();
        for message in messages {
            // A group's order is worth more than a message that could be had now.
            if back.iter().any(|other| other.group == message.group) {
                back.push(message);
                continue;
            }
            match decode(&message.text, &message.group) {
                None => tracing::error!(message = message.id, "a message cannot be read; it is left to the queue's dead letters"),
                Some(Content::GoOn(generation)) => go_on.push((message, generation)),
                Some(Content::Job { id, tenant, group, body }) => {
                    let job = Job { id, tenant, group, body: bytes::Bytes::new() };
                    self.load.received(self.now(), tenant);
                    if let Err(error) = self.take_in_job(job, body, &message, until, spent).await {
                        tracing::warn!(%error, "a job goes back to the queue");
                        back.push(message);
                    }
                }
            }
        }
        // Last: what came behind them in the same answer is in rows by now.
        for (message, generation) in go_on {
            if let Err(error) = self.go_on(message.clone(), generation, until, spent).await {
                tracing::warn!(%error, "a released group goes back to the queue");
                back.push(message);
            }
        }
        back.iter().for_each(|message| self.buffer.lock().was_unhanded(&message.id));
        self.hide(handles(back), Duration::ZERO, spent).await.map(drop)
    }

    async fn take_in_job(
        self: &Arc<Self>,
        job: Job,
        body: Body,
        message: &Incoming,
        until: Instant,
        spent: &mut Units,
    ) -> Result<(), PortError> {
        let (body, blob) = match body {
            Body::Here(bytes) => (bytes, None),
            Body::Blob(key) => (self.blobs.get(&key, spent).await?, Some(key)),
        };
        let attempt = self.buffer.lock().attempt(message);
        let source = Source::Message { message: message.clone(), blob };
        let held = Held { job, attempt, since: message.sent, source, until }.with_body(body);
        if self.is_marked(&message.group) && self.move_behind(&held.job, message, attempt - 1, spent).await? {
            return Ok(());
        }
        // Handed out so often, and whoever had it never came back.
        if attempt > <dyn Queue>::ATTEMPTS {
            return self.park(&held.job, message, attempt - 1, spent).await;
        }
        self.buffer.lock().add(held);
        Ok(())
    }
}
