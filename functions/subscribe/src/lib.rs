//! Fetches calendars that are subscribed from outside, and brings folders to what they say: one job is one turn of one of them.
//! Decision 37.

mod apply;
mod file;

use bytes::Bytes;
use file::{Fault, File};
use penfold_directory::{Directory, TenantStatus};
use penfold_mailbox::{Mailbox, Mailboxes};
use penfold_ports::{Fetched, QueueName, Received, Web, WebError, WebPage, World};
use penfold_subscriptions::{Failure, Subscription, Subscriptions, Tells};
use penfold_transport::work::{Outcome, Worker, in_order};
use penfold_types::{AcceptanceId, Error, Kind, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a turn takes before others are next, the fetch apart.
const TURN: Duration = Duration::from_secs(4);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Before a host that is being asked is asked again, at most.
const BUSY: u64 = 30;

/// Cheap to clone.
#[derive(Clone)]
pub struct Subscribe {
    world: World,
    directory: Directory,
    mailboxes: Mailboxes,
    subscriptions: Subscriptions,
    web: Arc<dyn Web>,
    /// Files are read one at a time, and beside the threads that everybody's connections share.
    reading: Arc<Semaphore>,
}

/// What a turn came to.
enum Ended {
    /// The folder is as the file says.
    Whole(Subscription),
    /// Some is still to be done.
    Partly(Subscription),
    Failed(Failure),
    PutOff(Duration),
}

impl Subscribe {
    pub fn new(world: &World, directory: &Directory, mailboxes: &Mailboxes, web: Arc<dyn Web>) -> Self {
        Self {
            world: world.named("subscribe"),
            directory: directory.clone(),
            mailboxes: mailboxes.named("subscribe"),
            subscriptions: Subscriptions::new(world, directory),
            web,
            reading: Arc::new(Semaphore::new(1)),
        }
    }

    async fn job(&self, received: Received) -> Result<()> {
        let Some(mut one) = self.subscriptions.turn(&received.job).await? else { return Ok(()) };
        let ended = match self.turn(&mut one).await {
            Ok(None) => return self.subscriptions.end(&one).await,
            Ok(Some(ended)) => ended,
            // It comes again, and goes on where it was.
            Err(error) if error.kind() == Kind::Retry => return Err(error),
            Err(error) => Ended::Failed(Failure::new(told(&one, &error))),
        };
        match ended {
            Ended::Whole(after) => self.subscriptions.succeed(&one, after).await,
            Ended::Partly(after) => self.subscriptions.hand_over(&one, after).await,
            Ended::Failed(failure) => self.subscriptions.fail(&one, one.clone(), failure).await,
            Ended::PutOff(wait) => self.subscriptions.put_off(&one, wait).await,
        }
    }

    /// `None`: there is nothing to fill any more.
    async fn turn(&self, one: &mut Subscription) -> Result<Option<Ended>> {
        let status = self.directory.tenant_status(one.account.tenant).await?;
        if !status.is_open() || status == TenantStatus::Suspended {
            return Ok(Some(Ended::PutOff(DAY)));
        }
        match self.directory.address_of(one.account.tenant, one.account.principal).await {
            // Whoever was deleted may be restored; upkeep forgets the rest.
            Err(error) if error.kind() == Kind::NotFound => return Ok(Some(Ended::PutOff(DAY))),
            found => found?,
        };
        let mailbox = self.mailboxes.open(&self.directory.feeding_scope(one.account)).await?;
        // Where it cannot be made, whoever subscribed is told why, and room may come.
        if !self.subscriptions.make(&mailbox, one).await? {
            return Ok(None);
        }
        if mailbox.folders().await?.get(one.folder).is_none_or(|own| !own.fed) {
            return Ok(None);
        }
        if let Some(file) = one.file {
            let bytes = self.mailboxes.blob(one.account.tenant, file).await?;
            return self.use_file(one.clone(), &mailbox, &bytes).await.map(Some);
        }
        self.fetch(one, &mailbox).await.map(Some)
    }

    async fn fetch(&self, one: &Subscription, mailbox: &Mailbox) -> Result<Ended> {
        let page = WebPage { url: one.kept.url.clone(), known: one.kept.validators() };
        Ok(match self.web.get(&page).await {
            // Only who has it already can be told that it is the same.
            Ok(Fetched::Same) if one.hash.is_none() => Ended::Failed(Failure::new("the server gives no file")),
            Ok(Fetched::Same) => Ended::Whole(one.clone()),
            Ok(Fetched::New(found)) => {
                let mut after = one.clone();
                after.kept.know(found.validators);
                self.use_file(after, mailbox, &found.bytes).await?
            }
            Ok(Fetched::Not { status, after }) => Ended::Failed(refused(status, after)),
            Err(WebError::Busy) => Ended::PutOff(Duration::from_secs(BUSY / 3 + self.world.env.below(BUSY))),
            Err(error) => Ended::Failed(Failure::new(error.to_string())),
        })
    }

    /// Whatever comes of a file that is there, the URL is one of a file.
    async fn use_file(&self, mut after: Subscription, mailbox: &Mailbox, bytes: &Bytes) -> Result<Ended> {
        after.gone = None;
        match self.fill(after.clone(), mailbox, bytes).await {
            Err(error) if error.kind() != Kind::Retry => Ok(Ended::Failed(Failure::of_file(told(&after, &error)))),
            ended => ended,
        }
    }

    /// The hash of a file and what it holds; `None` where it is the one that is `known`.
    async fn read(&self, bytes: Bytes, known: Option<[u8; 32]>) -> Result<Option<([u8; 32], std::result::Result<File, Fault>)>> {
        let lost = "a calendar cannot be read any more";
        let _one = self.reading.acquire().await.map_err(|error| Error::broken(lost).because(error))?;
        let work = move || {
            let hash = file::hash(&bytes);
            (known != Some(hash)).then(|| (hash, file::read(&bytes)))
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| Error::broken(lost).because(error))
    }

    /// Brings the folder nearer to what a file says.
    async fn fill(&self, mut after: Subscription, mailbox: &Mailbox, bytes: &Bytes) -> Result<Ended> {
        let (hash, file) = match self.read(bytes.clone(), after.hash).await? {
            Some((hash, Ok(file))) => (hash, file),
            Some((_, Err(fault))) => return Ok(Ended::Failed(Failure::of_file(fault))),
            None => return Ok(Ended::Whole(after)),
        };
        // A calendar without events is more often one that broke than one that ended.
        if file.objects.is_empty() && after.objects > 0 {
            return Ok(Ended::Failed(Failure::of_file("the file holds no events any more; what was there is kept")));
        }
        let until = self.world.env.monotonic() + TURN;
        let plan = apply::plan(mailbox, after.folder, &file).await?;
        if !plan.is_empty() {
            after.changed = Some(self.world.env.now());
        }
        (after.published, after.skipped) = (file.refresh.unwrap_or(0), file.skipped);
        if !apply::carry_out(&self.world.env, mailbox, after.folder, plan, until).await? {
            if after.file.is_none() {
                let acceptance = AcceptanceId::new(&self.world.env);
                after.file = Some(self.mailboxes.put_blob(after.account.tenant, acceptance, vec![bytes.clone()]).await?);
            }
            return Ok(Ended::Partly(after));
        }
        (after.objects, after.hash) = (file.objects.len() as u64, Some(hash));
        Ok(Ended::Whole(after))
    }
}

/// What whoever subscribed is told of an error; what is our own fault is for us to know.
fn told(one: &Subscription, error: &Error) -> String {
    if error.kind() == Kind::Broken {
        tracing::error!(tenant = %one.account.tenant, folder = %one.folder, %error, "a subscription failed");
    }
    error.text().to_owned()
}

/// An answer without a file.
fn refused(status: u16, after: Option<Duration>) -> Failure {
    let text = match status {
        401 | 403 => "the server does not give it to us: the URL may need a password, or was taken back",
        404 | 410 => "there is nothing at this URL",
        429 | 503 => "the server asks us to come back later",
        500.. => "the server has a fault",
        _ => "the server gives no file",
    };
    let tells = if matches!(status, 401 | 403 | 404 | 410) { Tells::Gone } else { Tells::Nothing };
    Failure { after, tells, ..Failure::new(format!("{text} (HTTP {status})")) }
}

impl Worker for Subscribe {
    const QUEUE: QueueName = QueueName::Subscribe;

    fn world(&self) -> &World {
        &self.world
    }

    async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
        in_order(batch, |received| self.job(received)).await
    }
}

#[cfg(test)]
mod tests;
